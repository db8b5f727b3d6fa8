import assert from "node:assert/strict";
import fc from "fast-check";
import { CallError } from "../../../src/grpc/call-error.ts";
import { FrameWatch } from "../../../src/grpc/frame-watch.ts";
import { bodyStart, decodedSize, frameMessage, MessageReader } from "../../../src/grpc/framing.ts";
import { anyHex, bytesOf, chunksOf, cuts, mutatedHex } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const MAX_BYTES = 64;

/** What a reader makes of a body that comes in these chunks. */
function read(chunks: readonly Uint8Array[]) {
  const reader = new MessageReader(MAX_BYTES);
  const messages: string[] = [];
  try {
    for (const chunk of chunks)
      for (const message of reader.push(chunk)) messages.push(Buffer.from(message).toString("hex"));
    return { messages, isBetweenMessages: reader.isBetweenMessages };
  } catch (thrown) {
    assert.ok(thrown instanceof CallError, String(thrown));
    return { messages, reason: thrown.fault.reason };
  }
}

export const framedMessages = defineProperty({
  name: "framed-messages",
  runs: 200,
  input: fc.record({ messages: fc.array(anyHex(MAX_BYTES), { maxLength: 8 }), cuts }),
  check({ messages, cuts: lengths }) {
    const body = Buffer.concat(messages.map((message) => frameMessage(bytesOf(message))));
    assert.deepEqual(read(chunksOf(body, lengths)), { messages, isBetweenMessages: true });
  },
});

/** A message, one that is cut short, one that is too long, one that is compressed, and a web page. */
const BODIES = [
  "0000000002abcd",
  "0000000005ab",
  "0000000041",
  "00ffffffff",
  "0100000001ff",
  "3c68746d6c3e",
];

export const framedBytes = defineProperty({
  name: "framed-bytes",
  runs: 300,
  input: fc.record({ body: mutatedHex(BODIES), cuts }),
  check({ body, cuts: lengths }) {
    const bytes = bytesOf(body);
    const whole = read([bytes]);
    assert.deepEqual(read(chunksOf(bytes, lengths)), whole);
    assert.ok(whole.messages.every((message) => message.length <= 2 * MAX_BYTES));
    assert.match(bodyStart(bytes), /^[^\p{Cc}\p{Cf}]{0,64}$/u);
    assert.match(decodedSize(bytes) ?? "text", /^[!-~]{4}$/);
  },
});

/** Frames of a server: SETTINGS, fields in one frame and in three, DATA, PUSH_PROMISE, RST_STREAM, a lie. */
const FRAMES = [
  "000006040000000000000300000064",
  "000003010400000001888182",
  "0000010100000000018800000009000000000100000209040000000181820000010001000000010a",
  "000005050000000001000000028800000109040000000188",
  "000004030000000001000000080000ff0100000000018888",
];

/** What goes on of these chunks, and why nothing more does. */
function watched(chunks: readonly Uint8Array[]) {
  const watch = new FrameWatch(() => 0);
  const passed: Buffer[] = [];
  let reason: string | undefined;
  try {
    for (const chunk of chunks) passed.push(...watch.pass(Buffer.from(chunk)));
  } catch (thrown) {
    assert.ok(thrown instanceof CallError, String(thrown));
    reason = thrown.fault.reason;
  }
  return { passed: Buffer.concat(passed), reason };
}

/** How much of the bytes may have been seen when that much has come: no field of a block that is open. */
function settledBytes(bytes: Buffer): number {
  let at = 0;
  let fieldsFrom: number | undefined;
  while (at + 9 <= bytes.length) {
    const type = bytes.readUInt8(at + 3);
    const isEnding = (bytes.readUInt8(at + 4) & 4) !== 0;
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (type === 1 || type === 5) fieldsFrom ??= at + 9;
    if (end > bytes.length) return fieldsFrom ?? bytes.length;
    if (isEnding) fieldsFrom = undefined;
    at = end;
  }
  return fieldsFrom ?? bytes.length;
}

export const watchedFrames = defineProperty({
  name: "watched-frames",
  runs: 300,
  input: fc.record({ bytes: mutatedHex(FRAMES), cuts }),
  check({ bytes: text, cuts: lengths }) {
    const bytes = Buffer.from(bytesOf(text));
    const { passed, reason } = watched(chunksOf(bytes, lengths));
    assert.equal(watched([bytes]).reason, reason);
    assert.ok(bytes.subarray(0, passed.length).equals(passed));
    assert.equal(settledBytes(passed), passed.length);
    if (reason === undefined) assert.equal(passed.length, settledBytes(bytes));
  },
});
