import assert from "node:assert/strict";
import fc from "fast-check";
import { CallError } from "../../../src/grpc/call-error.ts";
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
