import type { Program } from "../program.ts";

/** Colours for a terminal, or none, and how wide a line may be. Meaning is never in the colour alone. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly cyan: (text: string) => string;
  /** In characters. */
  readonly width: number;
}

/** Where there is no terminal, and on a wide one: longer lines are hard to read. */
const WIDTH = 100;
/** Narrower than this, two columns no longer stand side by side. */
const LEAST_WIDTH = 50;

const sgr = (code: number, isOn: boolean) => (text: string) =>
  isOn && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text;

type Terminal = Pick<Program, "isTerminal" | "environment" | "columns">;

/** `NO_COLOR` (no-color.org), when set and not empty, wins over a terminal; so does `TERM=dumb`. */
export function wantsColour(
  { isTerminal, environment }: Terminal,
  stream: "stdout" | "stderr",
): boolean {
  const isRefused = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  return isTerminal[stream] && !isRefused;
}

/** How wide the lines of a report are. */
export function lineWidth({ isTerminal, columns = WIDTH }: Terminal): number {
  if (!isTerminal.stdout && !isTerminal.stderr) return WIDTH;
  return Math.min(WIDTH, Math.max(LEAST_WIDTH, columns));
}

export function paintFor(terminal: Terminal, stream: "stdout" | "stderr"): Paint {
  const isOn = wantsColour(terminal, stream);
  return {
    bold: sgr(1, isOn),
    dim: sgr(2, isOn),
    red: sgr(31, isOn),
    yellow: sgr(33, isOn),
    green: sgr(32, isOn),
    cyan: sgr(36, isOn),
    width: lineWidth(terminal),
  };
}
