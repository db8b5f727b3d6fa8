import fc, { type Arbitrary } from "fast-check";

/** Arbitraries of texts and bytes that parsers of ours may meet; all of them plain JSON. */

/** Words that break parsers: ends of lines, numbers at their bounds, names that objects have already. */
export const NASTY: readonly string[] = [
  "",
  " ",
  "\t",
  "\n",
  "\r\n",
  "\u0000",
  "\u001b[31m",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\ud800",
  "🦊",
  "0",
  "-1",
  "1e400",
  "NaN",
  "+Inf",
  "4294967296",
  "9007199254740993",
  "99999999999999999999",
  "__proto__",
  "constructor",
  "toString",
  '"',
  "'",
  "\\",
  "{",
  "}",
  "[",
  "]",
  ":",
  "::",
  "%",
  "#",
  "${X}",
];

/** Any text: ASCII, all of Unicode with halves of characters, and what is nasty. */
export function anyText(maxLength = 40): Arbitrary<string> {
  return fc.oneof(
    fc.string({ maxLength }),
    fc.string({ maxLength, unit: "binary" }),
    fc.constantFrom(...NASTY),
  );
}

/** Bytes as hex. */
export function anyHex(maxLength: number): Arbitrary<string> {
  return fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("hex"));
}

export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

/**
 * One of the samples, with a few edits: cut out, put in (a word, a nasty one, a piece of another
 * sample), doubled. Most stay close to what the parser takes, which noise never is.
 */
export function mutated(
  samples: readonly string[],
  words: readonly string[] = [],
  maxEdits = 6,
): Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(...NASTY, ...words),
    anyText(8),
    fc
      .record({ sample: fc.constantFrom(...samples), from: fc.nat(), length: fc.nat(40) })
      .map(({ sample, from, length }) => {
        const start = from % (sample.length + 1);
        return sample.slice(start, start + length);
      }),
  );
  const edit = fc.record({
    at: fc.nat(),
    cut: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(60)),
    piece: fc.oneof(fc.constant(""), piece),
    times: fc.oneof(fc.constant(1), fc.constantFrom(0, 2, 3, 50)),
  });
  return fc
    .record({
      sample: fc.constantFrom(...samples),
      edits: fc.array(edit, { maxLength: maxEdits }),
    })
    .map(({ sample, edits }) =>
      edits.reduce((text, { at, cut, piece: put, times }) => {
        const from = at % (text.length + 1);
        return text.slice(0, from) + put.repeat(times) + text.slice(from + cut);
      }, sample),
    );
}

/** The same for bytes, all in hex: whole bytes are cut, changed and put in. */
export function mutatedHex(samples: readonly string[], maxEdits = 6): Arbitrary<string> {
  const edit = fc.record({ at: fc.nat(), cut: fc.nat(4), put: anyHex(6) });
  return fc
    .record({ sample: fc.constantFrom(...samples), edits: fc.array(edit, { maxLength: maxEdits }) })
    .map(({ sample, edits }) =>
      edits.reduce((hex, { at, cut, put }) => {
        const from = 2 * (at % (hex.length / 2 + 1));
        return hex.slice(0, from) + put + hex.slice(from + 2 * cut);
      }, sample),
    );
}

/** Where a body is cut into chunks: distances, used over and over. */
export const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

/** The chunks of a body, each as long as the next of `lengths`. */
export function chunksOf(bytes: Uint8Array, lengths: readonly number[]): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}
