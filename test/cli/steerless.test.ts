import { expect, it } from "vitest";
import { steerless } from "../../src/cli/steerless.ts";

function written(text: string, isColoured: boolean): string {
  let all = "";
  steerless({ write: (part) => void (all += part) }, isColoured).write(text);
  return all;
}

it.each([
  ["plain", "well\n\tindented ✖ → ä 日本 👩‍🚒\n", "well\n\tindented ✖ → ä 日本 👩‍🚒\n"],
  ["lines of DOS", "one\r\ntwo\r\n", "one\r\ntwo\r\n"],
  ["a return too many", "sick\r\r\nwell", "sick\\u000d\r\nwell"],
  ["a cleared screen", "a\u001b[2Jb", "a\\u001b[2Jb"],
  ["a title", "\u001b]0;x\u0007", "\\u001b]0;x\\u0007"],
  ["a clipboard", "\u001b]52;c;eA==\u001b\\", "\\u001b]52;c;eA==\\u001b\\"],
  ["one byte for CSI", "\u009b2J", "\\u009b2J"],
  ["an overwritten line", "sick\rwell", "sick\\u000dwell"],
  ["an erased letter", "no\b\u007f", "no\\u0008\\u007f"],
  ["turned text", "a\u202eb\u2066c", "a\\u202eb\\u2066c"],
])("shows %s as what it is", (_what, text, shown) => {
  expect([written(text, false), written(text, true)]).toEqual([shown, shown]);
});

it("lets our own colours pass where they are wanted, and no other sequence", () => {
  const text = "\u001b[31mred\u001b[0m \u001b[8mhidden\u001b[31;8m";
  expect(written(text, true)).toBe("\u001b[31mred\u001b[0m \\u001b[8mhidden\\u001b[31;8m");
  expect(written(text, false)).not.toContain("\u001b");
});

it("keeps what JSON says", () => {
  const value = { name: "a\u009b\u202e\u007f" };
  expect(JSON.parse(written(JSON.stringify(value), false))).toEqual(value);
});

it("tells how full the output is, as the output does", () => {
  const output = { write: () => undefined, writableLength: 7, writable: false };
  expect(steerless(output, false)).toMatchObject({ writableLength: 7, writable: false });
  expect(steerless({ write: output.write }, false)).toMatchObject({
    writableLength: 0,
    writable: true,
  });
});
