/**
 * What to do against a finding where the server's implementation is known: the advice, and the very line
 * for it. `interop/remedies.test.ts` compiles or runs the lines.
 */
export interface Remedy {
  /** As a sentence without its full stop; the lines follow. */
  readonly say: string;
  /** An option of the server. */
  readonly server?: string;
  /** An option of the channels of clients that are written in the same way. */
  readonly client?: string;
}

/** Remedies of one implementation, by code. A code that is not here has the detector's own. */
export type Remedies = Readonly<Record<string, Remedy>>;

/** As it is told. */
export function remedyText({ say, server, client }: Remedy): string {
  const lines = [
    ...(server === undefined ? [] : [`\`${server}\` in the server`]),
    ...(client === undefined ? [] : [`\`${client}\` in clients of its kind`]),
  ];
  return lines.length === 0 ? `${say}.` : `${say}: ${lines.join(", ")}.`;
}
