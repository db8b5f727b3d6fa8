import assert from "node:assert/strict";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  file_google_protobuf_struct,
  StructSchema,
} from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { cronFault } from "../../../src/config/cron.ts";
import { expressionFault, firstUnmet } from "../../../src/grpc/expect.ts";
import { nextCron } from "../../../src/schedule/cron.ts";
import { mutated } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const CRONS = [
  "*/5 * * * *",
  "0 0 1 1 *",
  "15,45 8-18/2 * jan-dec mon-fri",
  "0 0 30 2 *",
  "59 23 31 12 7",
];

export const cronTexts = defineProperty({
  name: "cron-texts",
  runs: 100,
  input: fc.record({
    text: mutated(CRONS, ["*", "/0", "-", ",", "L", "?", "#2", "sun", "@daily"], 3),
    after: fc.integer({ min: 0, max: 4e12 }),
  }),
  check({ text, after }) {
    const fault = cronFault(text);
    if (fault !== undefined) return assert.ok(fault.length < 200);
    const next = nextCron(text, after);
    if (next === undefined) return;
    assert.ok(next > after && next % 60_000 === 0, `${next} after ${after}`);
    assert.equal(nextCron(text, next - 1), next);
  },
});

const SECRET = "hunter2";
const EXPRESSIONS = [
  "response.price > 12.0",
  "size(responses) == 1 && status == 'OK'",
  "headers['content-type'].startsWith('application/grpc')",
  "latency < duration('200ms')",
  "responses.all(r, has(r.name) && r.name != '')",
  "response.name.matches('^a.*b$') ? true : response.tags.exists(t, t == \"x\")",
  "int(response.name) == 3",
  "timestamp(response.name) > timestamp('2027-01-01T00:00:00Z')",
  "headers['authorization'] == 'x'",
  "response[response.name] == trailers",
];
const WORDS = [
  "response",
  ".name",
  "headers",
  "[",
  "]",
  "(",
  ")",
  "+",
  "int(",
  "bytes(",
  "!",
  "?",
  "'",
  "all(x, ",
  "1u",
  "null",
];

/** Bound to what a server said: a secret, which no account of an expression may repeat. */
const outcome = {
  responses: [
    create(StructSchema, { fields: { name: { kind: { case: "stringValue", value: SECRET } } } }),
  ],
  headers: [["authorization", `Bearer ${SECRET}`]] as const,
  trailers: [["x-note", SECRET]] as const,
  status: "OK",
  latencyMs: 12.5,
} as const;
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, { file: [file_google_protobuf_struct.proto] }),
);

export const celTexts = defineProperty({
  name: "cel-texts",
  runs: 60,
  input: mutated(EXPRESSIONS, WORDS, 3),
  check(text) {
    const fault = expressionFault(text);
    if (fault !== undefined) assert.ok(fault.length <= 200);
    const unmet = firstUnmet([text], outcome, registry);
    if (unmet === undefined) return;
    assert.equal(unmet.assertion, text);
    assert.ok(unmet.actual.length <= 200);
    if (!text.includes(SECRET)) assert.ok(!unmet.actual.includes(SECRET), unmet.actual);
  },
});
