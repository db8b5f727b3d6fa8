import { cutText } from "./cut-text.ts";
import { maskText } from "./mask.ts";

/** The frames that name our files are at a stack's top. */
const LONGEST_STACK = 2000;

/**
 * What may be told of something thrown that nobody expected: its message masked, as it may quote what it
 * stumbled over, and of its stack the frames alone, since a stack begins with the message.
 */
export function crashText(thrown: unknown): {
  readonly errorText: string;
  readonly stack?: string;
} {
  if (!(thrown instanceof Error)) return { errorText: maskText(String(thrown)) };
  const errorText = maskText(`${thrown.name}: ${thrown.message}`);
  const frames = (thrown.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line));
  const stack = cutText(frames.join("\n"), LONGEST_STACK);
  return stack === "" ? { errorText } : { errorText, stack };
}
