import { describe, expect, test } from "vitest";
import { bodyStart, decodedSize, frameMessage, MessageReader } from "../../src/grpc/framing.ts";
import { faultOf } from "../support/faults.ts";

const bytes = (...values: readonly number[]) => Uint8Array.from(values);

/** What a reader makes of a body that comes in these chunks. */
function read(chunks: readonly Uint8Array[], maxBytes = 16) {
  const reader = new MessageReader(maxBytes);
  const messages = chunks.flatMap((chunk) => [...reader.push(chunk)].map((one) => [...one]));
  return { messages, isBetweenMessages: reader.isBetweenMessages };
}

describe("a framed message", () => {
  test.each([
    ["empty", bytes()],
    ["short", bytes(1, 2, 3)],
    ["as long as allowed", new Uint8Array(16).fill(7)],
  ])("comes back: %s", (_sentence, message) => {
    expect(read([frameMessage(message)])).toEqual({
      messages: [[...message]],
      isBetweenMessages: true,
    });
  });

  test("has a flag of zero and its length, the most significant byte first", () => {
    expect([...frameMessage(bytes(9, 9))]).toEqual([0, 0, 0, 0, 2, 9, 9]);
  });
});

describe("a body", () => {
  const two = Buffer.concat([
    frameMessage(bytes(1)),
    frameMessage(bytes()),
    frameMessage(bytes(2, 3)),
  ]);

  test.each([1, 2, 3, 4, 5, 6, 7, 17])("is cut into its messages, %d bytes at a time", (size) => {
    const starts = Array.from({ length: Math.ceil(two.length / size) }, (_none, at) => at * size);
    const chunks = starts.map((at) => two.subarray(at, at + size));

    expect(read(chunks)).toEqual({ messages: [[1], [], [2, 3]], isBetweenMessages: true });
  });

  test("that stops in a message, or in a prefix, is not at an end", () => {
    expect(read([bytes(0, 0, 0, 0, 2, 1)])).toEqual({ messages: [], isBetweenMessages: false });
    expect(read([bytes(0, 0)])).toEqual({ messages: [], isBetweenMessages: false });
    expect(read([])).toEqual({ messages: [], isBetweenMessages: true });
  });

  test.each([
    ["one byte too long", bytes(0, 0, 0, 0, 17), "message_too_large"],
    ["four gigabytes long", bytes(0, 255, 255, 255, 255), "message_too_large"],
    ["compressed", bytes(1, 0, 0, 0, 1), "malformed_reply"],
    ["no frame but text", Buffer.from("<html>"), "not_grpc"],
  ])("is refused by its prefix alone: %s", async (_sentence, chunk, reason) => {
    const reading = Promise.resolve().then(() => read([chunk]));
    expect(await faultOf(reading)).toEqual({ phase: "rpc", reason });
  });
});

describe("a foreign body", () => {
  test("is shown as one printable line of at most 64 characters", () => {
    expect(bodyStart(Buffer.from(" <html>\r\n\t<b>\u0000x "))).toBe("<html> <b> x");
    expect(bodyStart(Buffer.from("x".repeat(100)))).toBe("x".repeat(64));
    expect(bodyStart(bytes())).toBe("");
  });

  test("has a size that spells, where all four bytes are printable", () => {
    expect(decodedSize(Buffer.from("<html>"))).toBe("html");
    expect(decodedSize(Buffer.from("HTTP/1.1"))).toBe("TTP/");
    expect(decodedSize(bytes(0, 0, 0, 0, 65))).toBeUndefined();
    expect(decodedSize(Buffer.from("< ab>"))).toBeUndefined();
    expect(decodedSize(Buffer.from("<ab"))).toBeUndefined();
  });
});

describe("what is kept of a message that has begun", () => {
  test("is what has come of it, and not what was announced", () => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(4 * 1024 * 1024, 1);
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 64 }, () => new MessageReader());
    const messages = readers.flatMap((reader) => [
      ...reader.push(prefix),
      ...reader.push(bytes(1)),
    ]);

    expect(messages).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  });

  test("holds no chunk: each may be a view of something larger", () => {
    const large = new Uint8Array(64 * 1024);
    large.set([0, 0, 0, 0, 2, 7, 8]);
    const reader = new MessageReader();
    const [message] = [...reader.push(large.subarray(0, 6)), ...reader.push(large.subarray(6, 7))];

    expect(message).toEqual(bytes(7, 8));
    expect(message?.buffer.byteLength).toBe(64);
  });
});
