import type { Json } from "../model/json.ts";

/** Strings, whose brackets do not count, and brackets. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]]/gs;
const DEPTH: Readonly<Record<string, number>> = { "{": 1, "[": 1, "}": -1, "]": -1 };

/**
 * JSON values one after the other with white space between them, as grpcurl's `-d` takes them: one for
 * a unary call, several for a client stream. Throws a SyntaxError where a value is none.
 */
export function parseMessages(text: string): readonly Json[] {
  const messages: Json[] = [];
  let begin = 0;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    depth += DEPTH[token] ?? 0;
    if (depth > 0 || DEPTH[token] !== -1) continue;
    messages.push(JSON.parse(text.slice(begin, index + 1)) as Json);
    begin = index + 1;
  }
  const rest = text.slice(begin).trim();
  return rest === "" ? messages : [...messages, JSON.parse(rest) as Json];
}
