import type { Output } from "./program.ts";

/** Control characters, and what turns the direction of text around. */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
/** All but tab, line feed, and the carriage return of a line feed: such ends have the lines of many files. */
const EACH_STEERING = new RegExp(`(${colours()})|(?![\\t\\n]|\\r\\n)${STEERING.source}`, "gu");

/** The sequences of report/paint.ts and of the log's text format. */
function colours(): string {
  return `${String.fromCharCode(0x1b)}\\[(?:0|1|2|3[1-6]|90)m`;
}

/**
 * An output that steers no terminal: whatever a server, a certificate, a file or an agent's answer
 * brought along is shown as its escape, `\u001b`, which in JSON is the same text. One place for all
 * commands, so that none can forget it; only a file that is handed on to no terminal passes by it, as
 * in YAML an escape is another text. Our own colours pass where they are wanted.
 */
export function steerless(output: Output, isColoured: boolean): Output {
  return {
    write: (text, taken) => output.write(escapeSteering(text, isColoured), taken),
    get writableLength() {
      return output.writableLength ?? 0;
    },
    get writable() {
      return output.writable ?? true;
    },
  };
}

function escapeSteering(text: string, isColoured: boolean): string {
  if (!STEERING.test(text)) return text;
  return text.replace(EACH_STEERING, (found, colour: string | undefined) =>
    colour !== undefined && isColoured
      ? found
      : found.replace(STEERING, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
