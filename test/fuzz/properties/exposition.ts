import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { createCallMetricsReader } from "../../../src/app-metrics/call-metrics.ts";
import { parseSample } from "../../../src/app-metrics/exposition.ts";
import { exposition, type Told } from "../../../src/sinks/prometheus/exposition.ts";
import type { Family } from "../../../src/sinks/prometheus/family.ts";
import { anyText, chunksOf, cuts, mutated } from "../mutation.ts";
import { defineProperty, ROOT } from "../property.ts";
import { assertExposition } from "./exposition-grammar.ts";

const APP_METRICS = `# HELP grpc_server_handled_total Total.
# TYPE grpc_server_handled_total counter
grpc_server_handled_total{grpc_code="OK",grpc_method="GetOrder",grpc_service="order.OrderService",grpc_type="unary"} 12
grpc_server_handled_total{grpc_code="DeadlineExceeded",grpc_method="AddOrder",grpc_service="order.OrderService"} 3
grpc_server_started_total{grpc_method="GetOrder"} 17
grpc_server_handling_seconds_bucket{grpc_code="OK",le="0.005"} 4
grpc_server_handling_seconds_bucket{grpc_code="OK",le="+Inf"} 12 # {trace_id="ab"} 0.3 1.5
rpc_server_duration_bucket{rpc_grpc_status_code="4",rpc_method="GetOrder",le="100"} 7
process_open_fds 12
process_start_time_seconds 1.7e9
# EOF
`;

const SAMPLES = [
  APP_METRICS,
  readFileSync(`${ROOT}test/sinks/golden/metrics.openmetrics.txt`, "utf8").slice(0, 2000),
];
const WORDS = [
  "grpc_server_handled_total",
  "{",
  "}",
  '="',
  '",',
  "NaN",
  "1e308",
  'le="1e306"',
  "# ",
];

function numbersIn(value: unknown): readonly number[] {
  if (typeof value === "number") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(numbersIn);
}

export const foreignExposition = defineProperty({
  name: "foreign-exposition",
  runs: 80,
  input: fc.record({ text: mutated(SAMPLES, WORDS), cuts }),
  check({ text, cuts: lengths }) {
    const bytes = Buffer.from(text);
    const read = (chunks: readonly Uint8Array[]) => {
      const reader = createCallMetricsReader();
      for (const chunk of chunks) reader.feed(chunk);
      return reader.end();
    };
    const whole = read([bytes]);
    assert.deepEqual(read(chunksOf(bytes, lengths)), whole);
    assert.ok(numbersIn(whole).every((value) => Number.isFinite(value) && value >= 0));
    assert.ok((whole?.methods.length ?? 0) <= 200);
  },
});

const labels = fc.dictionary(fc.stringMatching(/^[a-z_][a-z0-9_]{0,10}$/), anyText(), {
  maxKeys: 4,
  noNullPrototype: true,
});
const value = fc.oneof(
  // JSON has no negative zero.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
  fc.nat(),
  fc.constantFrom("NaN", "+Inf", "-Inf"),
);

/** Numbers that JSON has no word for are words. */
function numberOf(given: number | string): number {
  return typeof given === "number" ? given : Number(given.replace("Inf", "Infinity"));
}

export const ownExposition = defineProperty({
  name: "own-exposition",
  runs: 150,
  input: fc.record({
    format: fc.constantFrom("text" as const, "openmetrics" as const),
    type: fc.constantFrom("counter" as const, "gauge" as const),
    help: anyText(),
    points: fc.uniqueArray(fc.record({ labels, value, trace: anyText(16) }), {
      maxLength: 5,
      selector: (point) =>
        JSON.stringify(Object.entries(point.labels).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    }),
  }),
  check({ format, type, help, points }) {
    const name = type === "counter" ? "grpc_doctor_things_total" : "grpc_doctor_things";
    const family: Family = {
      name,
      type,
      help,
      labels: [],
      inDefaultPod: 0,
      from: () => ({}),
    };
    const told: Told = {
      family,
      points: points.map((point) => ({
        suffix: "",
        labels: point.labels,
        value: numberOf(point.value),
        ...(type === "counter" && {
          exemplar: { labels: { trace_id: point.trace }, value: 1, timestamp: 2.5 },
        }),
      })),
    };
    const text = exposition([told], format);
    assertExposition(text, format);
    const samples = text.split("\n").flatMap((line) => parseSample(line) ?? []);
    const written = ({ labels: given, value: number }: (typeof points)[number]) => ({
      name,
      labels: new Map(Object.entries(given)),
      value: numberOf(number),
    });
    assert.deepEqual(samples, points.map(written));
  },
});
