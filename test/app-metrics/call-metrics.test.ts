import fc from "fast-check";
import { expect, it } from "vitest";
import { createCallMetricsReader } from "../../src/app-metrics/call-metrics.ts";

const bytesOf = (lines: readonly string[]) => new TextEncoder().encode(`${lines.join("\n")}\n`);
const read = (lines: readonly string[]) => {
  const reader = createCallMetricsReader();
  reader.feed(bytesOf(lines));
  return reader.end();
};
const get = 'grpc_method="GetOrder",grpc_service="order.OrderService",grpc_type="unary"';
const add = 'grpc_method="AddOrder",grpc_service="order.OrderService",grpc_type="unary"';

const MIDDLEWARE = [
  "# HELP grpc_server_handled_total Total number of RPCs completed on the server.",
  "# TYPE grpc_server_handled_total counter",
  `grpc_server_handled_total{grpc_code="OK",${get}} 90`,
  `grpc_server_handled_total{grpc_code="Canceled",${get}} 4`,
  `grpc_server_handled_total{grpc_code="DeadlineExceeded",${get}} 2`,
  `grpc_server_handled_total{grpc_code="OK",${add}} 10`,
  `grpc_server_handled_total{grpc_code="Code(99)",${add}} 1`,
  `grpc_server_handling_seconds_bucket{${get},le="0.005"} 90`,
  `grpc_server_handling_seconds_bucket{${get},le="+Inf"} 96`,
  `grpc_server_msg_received_total{${get}} 96`,
  `grpc_server_msg_sent_total{${get}} 91`,
  `grpc_server_started_total{${get}} 100`,
  `grpc_server_started_total{${add}} 11`,
];

const OTEL = [
  'grpc_server_call_started_total{grpc_method="order.OrderService/GetOrder"} 7',
  'grpc_server_call_duration_seconds_bucket{grpc_method="order.OrderService/GetOrder",grpc_status="CANCELLED",le="0.1"} 1',
  'grpc_server_call_duration_seconds_bucket{grpc_method="order.OrderService/GetOrder",grpc_status="CANCELLED",le="0.5"} 5',
  'grpc_server_call_duration_seconds_bucket{grpc_method="order.OrderService/GetOrder",grpc_status="CANCELLED",le="+Inf"} 5',
  'grpc_server_call_duration_seconds_sum{grpc_method="order.OrderService/GetOrder",grpc_status="CANCELLED"} 1.9',
  'grpc_server_call_duration_seconds_count{grpc_method="order.OrderService/GetOrder",grpc_status="CANCELLED"} 5',
  'grpc_server_call_duration_seconds_bucket{grpc_method="other",grpc_status="CANCELLED",le="0.1"} 1',
  'grpc_server_call_duration_seconds_bucket{grpc_method="other",grpc_status="CANCELLED",le="0.5"} 1',
  'grpc_server_call_duration_seconds_bucket{grpc_method="other",grpc_status="CANCELLED",le="+Inf"} 2',
  'grpc_server_call_duration_seconds_count{grpc_method="other",grpc_status="CANCELLED"} 2',
  'grpc_server_call_duration_seconds_count{grpc_method="other",grpc_status="MADE_UP"} 1',
];

const EMPTY = { families: [], handledByCode: {}, durations: {}, methods: [] };

it("reads go-grpc-middleware, whose histogram knows methods and no codes", () => {
  expect(read(MIDDLEWARE)).toEqual({
    families: ["go-grpc-middleware"],
    started: 111,
    handledByCode: { OK: 100, CANCELLED: 4, DEADLINE_EXCEEDED: 2, UNKNOWN: 1 },
    durations: {},
    methods: [
      {
        method: "order.OrderService/GetOrder",
        handledByCode: { OK: 90, CANCELLED: 4, DEADLINE_EXCEEDED: 2 },
        sent: 91,
        durations: { upperMs: [5], counts: [90, 96] },
      },
      { method: "order.OrderService/AddOrder", handledByCode: { OK: 10, UNKNOWN: 1 } },
    ],
  });
});

it.each([
  ["grpc.health.v1.Health", "Watch"],
  ["grpc.channelz.v1.Channelz", "GetServers"],
  ["grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo"],
])("leaves out what is served for agents: %s/%s", (service, method) => {
  const labels = `grpc_method="${method}",grpc_service="${service}"`;
  const middleware = [
    `grpc_server_started_total{${labels}} 7`,
    `grpc_server_handled_total{grpc_code="OK",${labels}} 5`,
    `grpc_server_handling_seconds_bucket{${labels},le="+Inf"} 5`,
  ];
  expect(read([...MIDDLEWARE, ...middleware])).toEqual(read(MIDDLEWARE));
  const whole = `grpc_method="${service}/${method}"`;
  const otel = [
    `grpc_server_call_started_total{${whole}} 7`,
    `grpc_server_call_duration_seconds_count{${whole},grpc_status="CANCELLED"} 5`,
    `grpc_server_call_duration_seconds_bucket{${whole},grpc_status="CANCELLED",le="0.1"} 5`,
  ];
  expect(read([...OTEL, ...otel])).toEqual(read(OTEL));
});

it.each(["DEADLINE_EXCEEDED", "DeadlineExceeded"])(
  "knows the code as the languages spell it: %s",
  (code) => {
    const line = `grpc_server_handled_total{code="${code}",${get}} 3`;
    expect(read([line])).toMatchObject({ handledByCode: { DEADLINE_EXCEEDED: 3 } });
  },
);

it("reads gRPC's OpenTelemetry metrics, durations by code", () => {
  expect(read(OTEL)).toEqual({
    families: ["grpc-otel"],
    started: 7,
    handledByCode: { CANCELLED: 7, UNKNOWN: 1 },
    durations: { CANCELLED: { upperMs: [100, 500], counts: [2, 6, 7] } },
    methods: [
      { method: "order.OrderService/GetOrder", handledByCode: { CANCELLED: 5 } },
      { method: "other", handledByCode: { CANCELLED: 2, UNKNOWN: 1 } },
    ],
  });
});

const sent = (status: string, le: string, count: number) =>
  `grpc_server_call_sent_total_compressed_message_size_bytes_bucket{grpc_method="order.OrderService/GetOrder",grpc_status="${status}",le="${le}"} ${count}`;

it("reads on how many of them the server had sent something, by the codes that tell", () => {
  const otel = [...OTEL, sent("CANCELLED", "0.0", 3), sent("CANCELLED", "1024.0", 5)];
  expect(read(otel)).toEqual({ ...read(OTEL), answered: { CANCELLED: 4 } });
  expect(read([...OTEL, sent("CANCELLED", "1024.0", 5)])).toEqual(read(OTEL));
});

it("reads how many calls were of methods that nobody registered, and not of generic ones", () => {
  const of = (method: string, status: string) =>
    `grpc_server_call_duration_seconds_count{grpc_method="${method}",grpc_status="${status}"} 9`;
  const calls = [
    of("other", "UNIMPLEMENTED"),
    of("other", "INTERNAL"),
    of("a.B/C", "UNIMPLEMENTED"),
  ];
  expect(read(calls)).toMatchObject({
    handledByCode: { UNIMPLEMENTED: 18, INTERNAL: 9 },
    unregistered: 9,
  });
});

it("reads them without the unit in their names", () => {
  const bare = OTEL.map((line) => line.replace("_seconds", "").replace("_total", ""));
  expect(read(bare)).toEqual(read(OTEL));
});

it("counts a call once where two families do, and takes durations from the one that has them", () => {
  expect(read([...OTEL, ...MIDDLEWARE])).toEqual({
    ...read(MIDDLEWARE),
    families: ["go-grpc-middleware", "grpc-otel"],
    durations: { CANCELLED: { upperMs: [100, 500], counts: [2, 6, 7] } },
  });
});

it("reads the process' own metrics, whatever else there is", () => {
  const lines = [
    "process_cpu_seconds_total 12.47",
    "process_max_fds 1.048576e+06",
    "process_open_fds 9",
    "process_start_time_seconds 1.76357520053e+09",
  ];
  expect(read(lines)).toEqual({
    ...EMPTY,
    openFds: 9,
    maxFds: 1_048_576,
    processStartedAt: 1_763_575_200_530,
  });
});

it("passes over what is no count", () => {
  const handled = (value: string) => `grpc_server_handled_total{grpc_code="OK",${get}} ${value}`;
  expect(read([handled("NaN"), handled("-1"), handled("+Inf"), "up 1"])).toEqual(EMPTY);
});

it("tells an exposition without our metrics from no exposition", () => {
  expect(read(["# HELP up x", "up 1"])).toEqual(EMPTY);
  expect(read(["<html>", "<body>Not found</body>"])).toBeUndefined();
  expect(read([])).toBeUndefined();
});

it("drops a line without end, and reads on after it", () => {
  const lines = [`grpc_server_started_total{x="${"y".repeat(100_000)}"} 5`, ...MIDDLEWARE];
  expect(read(lines)).toEqual(read(MIDDLEWARE));
});

it("tells the two hundred busiest methods, and counts them all", () => {
  const lines = Array.from(
    { length: 300 },
    (_, i) =>
      `grpc_server_handled_total{grpc_code="OK",grpc_service="s",grpc_method="M${i}"} ${i + 1}`,
  );
  const seen = read(lines);
  expect(seen?.methods.length).toBe(200);
  expect(seen?.methods[0]).toEqual({ method: "s/M299", handledByCode: { OK: 300 } });
  expect(seen?.handledByCode).toEqual({ OK: 45_150 });
});

it("does not mind where the text is cut", () => {
  const text = bytesOf([...MIDDLEWARE, 'up{city="Zürich"} 1', ...OTEL]);
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const reader = createCallMetricsReader();
      const ends = [...cuts.toSorted((a, b) => a - b), text.length];
      ends.forEach((end, i) => reader.feed(text.subarray(ends[i - 1] ?? 0, end)));
      expect(reader.end()).toEqual(read([...OTEL, ...MIDDLEWARE]));
    }),
    { numRuns: 50 },
  );
});
