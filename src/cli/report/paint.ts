/** Colours for a terminal, or none. Meaning is never in the colour alone. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const sgr = (code: number, isOn: boolean) => (text: string) =>
  isOn && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text;

/** `NO_COLOR` (no-color.org), when set and not empty, wins over a terminal; so does `TERM=dumb`. */
export function paintFor(
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Paint {
  const isRefused = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  const isOn = isTerminal && !isRefused;
  return {
    bold: sgr(1, isOn),
    dim: sgr(2, isOn),
    red: sgr(31, isOn),
    yellow: sgr(33, isOn),
    green: sgr(32, isOn),
    cyan: sgr(36, isOn),
  };
}
