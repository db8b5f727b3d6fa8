import { describe, expect, it } from "vitest";
import { FrameWatch } from "../../src/grpc/frame-watch.ts";
import { blockOf } from "../support/hostile/floods.ts";
import {
  continuation,
  data,
  FLAG,
  FRAME,
  fields,
  frame,
  GRPC_HEADERS,
  GRPC_OK,
  headers,
  ping,
  rstStream,
  settings,
  settingsAck,
} from "../support/hostile/frames.ts";

const KIB = 1024;
const MIB = KIB * KIB;
const HEAD_BYTES = 9;

/** A lawful connection: its beginning, and an answer whose fields come in three frames. */
const LAWFUL = Buffer.concat([
  settings([[3, 100]]),
  settingsAck,
  headers(1, GRPC_HEADERS.subarray(0, 10), 0),
  continuation(1, GRPC_HEADERS.subarray(10, 10)),
  continuation(1, GRPC_HEADERS.subarray(10), FLAG.endHeaders),
  data(1, [0, 0, 0, 0, 2, 8, 1]),
  data(1, Buffer.alloc(16 * KIB)),
  headers(1, GRPC_OK, FLAG.endHeaders | FLAG.endStream),
  rstStream(1, 0),
]);

const cut = (bytes: Buffer, length: number) =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, n) =>
    bytes.subarray(n * length, (n + 1) * length),
  );
const watchAt = (nowMs = 0) => new FrameWatch(() => nowMs);
const watch = (...chunks: readonly Buffer[]) => {
  const watching = watchAt();
  return chunks.flatMap((chunk) => watching.pass(chunk));
};
const flooded = { fault: { phase: "http2", reason: "flooded" } };

it.each([1, 2, 7, 9, 10, 100, 100_000])(
  "changes no byte of a lawful server, in pieces of %d",
  (n) => {
    expect(Buffer.concat(watch(...cut(LAWFUL, n))).equals(LAWFUL)).toBe(true);
  },
);

it("lets a block of fields go on once it is whole", () => {
  const watching = watchAt();
  const begun = headers(1, GRPC_HEADERS, 0);
  const more = continuation(1, fields([["x", "y"]]));
  const end = continuation(1, fields([["a", "b"]]), FLAG.endHeaders);
  const after = data(1, [1]);
  const passed = [
    Buffer.concat([ping, begun]),
    more,
    end.subarray(0, end.length - 1),
    Buffer.concat([end.subarray(-1), after]),
  ].map((chunk) => Buffer.concat(watching.pass(chunk)));
  expect(passed).toEqual([
    // The head of its frame says nothing yet.
    Buffer.concat([ping, begun.subarray(0, HEAD_BYTES)]),
    Buffer.alloc(0),
    Buffer.alloc(0),
    Buffer.concat([begun.subarray(HEAD_BYTES), more, end, after]),
  ]);
});

it("refuses another frame in the midst of a block", () => {
  expect(() => watch(headers(1, GRPC_HEADERS, 0), ping)).toThrow(
    expect.objectContaining({ fault: { phase: "http2", reason: "not_http2" } }),
  );
});

it("holds no more than a mebibyte of one block", () => {
  const slow = Array.from({ length: 65 }, (_, n) => n * 1_000);
  let nowMs = 0;
  const watching = new FrameWatch(() => nowMs);
  watching.pass(headers(1, GRPC_HEADERS, 0));
  const pass = (atMs: number) => {
    nowMs = atMs;
    return watching.pass(continuation(1, Buffer.alloc(16_375))).length;
  };
  expect(slow.slice(0, 63).map(pass)).toEqual(slow.slice(0, 63).map(() => 0));
  expect(() => slow.slice(63).map(pass)).toThrow(expect.objectContaining(flooded));
});

describe.each([
  ["frames of control", 500, rstStream(1, 8)],
  ["small frames", 2_000, data(1, [1])],
  ["bytes that are no DATA", 64, frame({ type: FRAME.origin }, Buffer.alloc(16 * KIB - 9))],
  ["bytes of DATA", 512, data(1, Buffer.alloc(16 * KIB))],
] as const)("of %s", (_what, most, one) => {
  const some = blockOf(one, most * one.length);

  it("lets so many go on, and in the next second as many again", () => {
    let nowMs = 0;
    const watching = new FrameWatch(() => nowMs);
    const first = watching.pass(some);
    nowMs = 1_000;
    const second = watching.pass(some);
    expect([...first, ...second].reduce((sum, { length }) => sum + length, 0)).toBe(
      2 * some.length,
    );
  });

  it("does not let one more go on", () => {
    expect(() => watch(some, one)).toThrow(expect.objectContaining(flooded));
  });

  it("lets none of a piece go on that holds one more", () => {
    expect(() => watch(Buffer.concat([some, one]))).toThrow(expect.objectContaining(flooded));
  });
});

it("takes as much as one call may bring", () => {
  const messages = Array.from({ length: 1_000 }, () => data(1, [0, 0, 0, 0, 2, 8, 1]));
  const most = Array.from({ length: 256 }, () => data(1, Buffer.alloc(16 * KIB)));
  const bytes = Buffer.concat([LAWFUL, ...messages, ...most]);
  expect(bytes.length).toBeGreaterThan(4 * MIB);
  expect(Buffer.concat(watch(bytes)).equals(bytes)).toBe(true);
});
