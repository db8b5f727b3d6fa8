import type { Clock } from "../model/time.ts";

/** Reads what these files hold together; throws where they cannot be used. */
export type Keep = <T>(paths: readonly string[], read: () => Promise<T>) => Promise<T>;

/** That files cannot be used (`fault`, never their content), or can be again. */
export interface FilesTold {
  readonly paths: readonly string[];
  readonly fault?: string;
  /** They never were whole: nothing stays in use, and what needs them goes unjudged. */
  readonly hasNone?: true;
}

export interface KeepOptions {
  readonly clock: Clock;
  tell(told: FilesTold): void;
}

/** Sets of files that a configuration names; the oldest are forgotten, as reloads may name others. */
const MOST_KEPT = 500;
/** A rotation writes several files: what is mended in this time is not worth a line. */
const SETTLE_MS = 1_000;

interface Kept {
  /** Absent: they never were whole. */
  readonly whole?: { readonly value: unknown };
  readonly brokenSinceMs?: number;
  readonly isTold: boolean;
}

/**
 * What was whole stays in use while its files are not: a rotation that is half written, or a token that
 * is empty, would make of a healthy server one that refuses us. Told once, and once more when they can
 * be used again. What was never whole is told alike and thrown, as there is nothing to go on with.
 */
export function keepWhole({ clock, tell }: KeepOptions): Keep {
  const kept = new Map<string, Kept>();
  const put = (key: string, entry: Kept) => {
    kept.delete(key);
    kept.set(key, entry);
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  };
  return async (paths, read) => {
    const key = paths.join("\0");
    const nowMs = clock.monotonicMs();
    try {
      const value = await read();
      if (kept.get(key)?.isTold === true) tell({ paths });
      put(key, { whole: { value }, isTold: false });
      return value;
    } catch (thrown) {
      const { brokenSinceMs = nowMs, ...last } = kept.get(key) ?? { isTold: false };
      const isNews = !last.isTold && nowMs - brokenSinceMs >= SETTLE_MS;
      put(key, { ...last, brokenSinceMs, isTold: last.isTold || isNews });
      const { whole } = last;
      if (isNews) tell(brokenFiles(paths, thrown, whole !== undefined));
      if (whole === undefined) throw thrown;
      return whole.value as Awaited<ReturnType<typeof read>>;
    }
  };
}

function brokenFiles(paths: readonly string[], thrown: unknown, wereWhole: boolean): FilesTold {
  return { paths, fault: faultText(thrown), ...(wereWhole ? {} : { hasNone: true }) };
}

/** The innermost cause, which names the file or what OpenSSL thought of it; never what is in it. */
function faultText(thrown: unknown): string {
  let inmost = thrown;
  while (inmost instanceof Error && inmost.cause !== undefined) inmost = inmost.cause;
  return inmost instanceof Error ? inmost.message : String(inmost);
}
