import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createCallMetricsReader } from "../../src/app-metrics/call-metrics.ts";
import { FAMILIES as KNOWN } from "../../src/app-metrics/families/index.ts";

/** What the libraries expose of the same few calls; the first line of each file says which. */
const linesOf = (family: string) =>
  readFileSync(new URL(`expositions/${family}.txt`, import.meta.url), "utf8").split("\n");
const read = (lines: readonly string[]) => {
  const reader = createCallMetricsReader();
  reader.feed(new TextEncoder().encode(`${lines.join("\n")}\n`));
  return reader.end();
};

const FAMILIES = ["grpc-otel", "micrometer-observation", "micrometer", "otel-rpc", "otel-rpc-old"];
const service = "order.OrderService";

it("does not take calls that grpc-go refuses unseen for calls in flight", () => {
  const exposed = linesOf("grpc-otel");
  expect(exposed).toContain('grpc_server_call_started_total{grpc_method="other"} 2');
  expect(read(exposed)).toMatchObject({
    families: ["grpc-otel"],
    started: 10,
    handledByCode: { OK: 3, INTERNAL: 6, CANCELLED: 1 },
  });
});

it("counts them where their ends are counted too: Python calls all methods so", () => {
  const lines = [
    'grpc_server_call_started_total{grpc_method="other"} 9',
    'grpc_server_call_duration_seconds_count{grpc_method="other",grpc_status="OK"} 7',
  ];
  expect(read(lines)).toMatchObject({ started: 9, handledByCode: { OK: 7 } });
});

it("does not take calls that tonic_prometheus_layer saw cancelled for calls in flight", () => {
  const of = `grpc_method="GetOrder",grpc_service="${service}"`;
  const lines = [
    `grpc_server_started_total{${of}} 900`,
    `grpc_server_handled_total{${of},grpc_code="Ok"} 7`,
    `grpc_server_handled_total{${of}} 7`,
  ];
  expect(read(lines)).toEqual({
    families: ["go-grpc-middleware"],
    handledByCode: { OK: 7 },
    durations: {},
    methods: [{ method: `${service}/GetOrder`, handledByCode: { OK: 7 } }],
  });
});

it("takes no watch that its client ended for an error of the server", () => {
  const exposed = linesOf("micrometer-observation");
  expect(exposed).toContain(
    `grpc_server_seconds_count{error="none",grpc_status_code="UNKNOWN",rpc_method="WatchOrders",rpc_service="${service}",rpc_type="SERVER_STREAMING"} 1`,
  );
  expect(read(exposed)).toEqual({
    families: ["micrometer-observation"],
    inFlight: 1,
    handledByCode: { OK: 4, INTERNAL: 2, CANCELLED: 3, UNKNOWN: 1 },
    durations: {
      OK: { upperMs: [50, 100, 1000], counts: [1, 2, 4, 4] },
      INTERNAL: { upperMs: [50, 100, 1000], counts: [2, 2, 2, 2] },
      CANCELLED: { upperMs: [50, 100, 1000], counts: [0, 2, 3, 3] },
      UNKNOWN: { upperMs: [50, 100, 1000], counts: [0, 0, 1, 1] },
    },
    methods: [
      { method: `${service}/GetOrder`, handledByCode: { OK: 3 }, sent: 0 },
      { method: `${service}/AddOrder`, handledByCode: { INTERNAL: 2 } },
      { method: `${service}/HangOrder`, handledByCode: { CANCELLED: 2 } },
      { method: `${service}/ThrowOrder`, handledByCode: { UNKNOWN: 1 } },
      { method: `${service}/SlowOrder`, handledByCode: { OK: 1 }, sent: 0 },
      { method: `${service}/WatchOrders`, handledByCode: { CANCELLED: 1 }, sent: 2 },
    ],
  });
});

it.each(["active_count", "count", "gcount"])(
  "knows what is in flight by its name in every client library: %s",
  (suffix) => {
    const lines = [
      `grpc_server_active_seconds_${suffix}{rpc_method="GetOrder",rpc_service="${service}"} 5`,
      `grpc_server_seconds_count{grpc_status_code="OK",rpc_method="GetOrder",rpc_service="${service}"} 7`,
    ];
    expect(read(lines)).toMatchObject({ inFlight: 5, handledByCode: { OK: 7 } });
  },
);

it("takes no unary answer that came too late for an answered call", () => {
  expect(read(linesOf("micrometer"))).toEqual({
    families: ["micrometer"],
    started: 11,
    handledByCode: { OK: 3, INTERNAL: 2, CANCELLED: 4, UNKNOWN: 1 },
    durations: {
      OK: { upperMs: [50, 100, 1000], counts: [2, 3, 3, 3] },
      INTERNAL: { upperMs: [50, 100, 1000], counts: [2, 2, 2, 2] },
      CANCELLED: { upperMs: [50, 100, 1000], counts: [0, 1, 4, 4] },
      UNKNOWN: { upperMs: [50, 100, 1000], counts: [0, 0, 1, 1] },
    },
    methods: [
      { method: `${service}/GetOrder`, handledByCode: { OK: 3 }, sent: 0 },
      { method: `${service}/AddOrder`, handledByCode: { INTERNAL: 2, OK: 0 }, sent: 0 },
      { method: `${service}/HangOrder`, handledByCode: { CANCELLED: 2, OK: 0 }, sent: 0 },
      { method: `${service}/SlowOrder`, handledByCode: { CANCELLED: 1, OK: 0 }, sent: 0 },
      { method: `${service}/ThrowOrder`, handledByCode: { UNKNOWN: 1, OK: 0 }, sent: 0 },
      { method: `${service}/WatchOrders`, handledByCode: { CANCELLED: 1, OK: 0 }, sent: 2 },
    ],
  });
});

it("counts no messages of a client's stream as calls", () => {
  const messages = `grpc_server_requests_received_messages_total{method="Chat",methodType="BIDI_STREAMING",service="${service}"} 900`;
  const { started: _started, ...rest } = read(linesOf("micrometer")) ?? {};
  expect(read([...linesOf("micrometer"), messages])).toEqual(rest);
});

it("reads net.devh's labels, which are Micrometer's in snake case", () => {
  const snake = linesOf("micrometer").map((line) =>
    line.replace("methodType", "method_type").replace("statusCode", "status_code"),
  );
  expect(read(snake)).toEqual(read(linesOf("micrometer")));
});

it("reads OpenTelemetry's conventions, today's", () => {
  expect(read(linesOf("otel-rpc"))).toEqual({
    families: ["otel-rpc"],
    handledByCode: { OK: 3, INTERNAL: 2, CANCELLED: 1 },
    durations: {
      OK: { upperMs: [5, 50, 75, 100, 1000, 5000], counts: [3, 3, 3, 3, 3, 3, 3] },
      INTERNAL: { upperMs: [5, 50, 75, 100, 1000, 5000], counts: [2, 2, 2, 2, 2, 2, 2] },
      CANCELLED: { upperMs: [5, 50, 75, 100, 1000, 5000], counts: [0, 0, 1, 1, 1, 1, 1] },
    },
    methods: [
      { method: `${service}/GetOrder`, handledByCode: { OK: 3 } },
      { method: `${service}/AddOrder`, handledByCode: { INTERNAL: 2 } },
      { method: `${service}/Slow`, handledByCode: { CANCELLED: 1 } },
    ],
  });
});

it("reads those of before: codes by number, and milliseconds", () => {
  expect(read(linesOf("otel-rpc-old"))).toEqual({
    families: ["otel-rpc-old"],
    handledByCode: { OK: 3, INTERNAL: 2, CANCELLED: 1 },
    answered: { OK: 3, INTERNAL: 0, CANCELLED: 0 },
    durations: {
      OK: { upperMs: [0, 5, 50, 75, 100, 1000], counts: [0, 3, 3, 3, 3, 3, 3] },
      INTERNAL: { upperMs: [0, 5, 50, 75, 100, 1000], counts: [0, 2, 2, 2, 2, 2, 2] },
      CANCELLED: { upperMs: [0, 5, 50, 75, 100, 1000], counts: [0, 0, 0, 0, 1, 1, 1] },
    },
    methods: [
      { method: `${service}/GetOrder`, handledByCode: { OK: 3 } },
      { method: `${service}/AddOrder`, handledByCode: { INTERNAL: 2 } },
      { method: `${service}/Slow`, handledByCode: { CANCELLED: 1 } },
    ],
  });
});

const today = (labels: string) => `rpc_server_call_duration_seconds_count{${labels}} 4`;

it.each([
  [
    "the calls of another system",
    'rpc_system_name="connectrpc",rpc_response_status_code="internal"',
  ],
  ["calls without a status", 'rpc_system_name="grpc",rpc_method="a.B/C"'],
  [
    "what is served for agents",
    'rpc_system_name="grpc",rpc_method="/grpc.health.v1.Health/Watch",rpc_response_status_code="CANCELLED"',
  ],
])("leaves out %s", (_what, labels) => {
  expect(read([...linesOf("otel-rpc"), today(labels)])).toEqual(read(linesOf("otel-rpc")));
});

it("tells methods that nobody registered, and leaves a path's slash out", () => {
  const of = (method: string) =>
    today(`rpc_method="${method}",rpc_response_status_code="UNIMPLEMENTED"`);
  expect(read([of("_OTHER"), of("/a.B/C")])).toMatchObject({
    unregistered: 4,
    methods: [
      { method: "_OTHER", handledByCode: { UNIMPLEMENTED: 4 } },
      { method: "a.B/C", handledByCode: { UNIMPLEMENTED: 4 } },
    ],
  });
});

/** As an exporter writes names that it does not translate, to whom it is told to be able to read them. */
const untranslated = (line: string) =>
  line
    .replace(
      /^(\w+)\{/,
      (_all, name: string) => `{"${name.replace("rpc_server_", "rpc.server.")}",`,
    )
    .replace(/rpc_(grpc_status_code|response_status_code|method|service|system)=/g, '"rpc.$1"=')
    .replace("_milliseconds", "");

it.each(["otel-rpc", "otel-rpc-old"])("reads names with dots, in quotes: %s", (family) => {
  const dotted = linesOf(family).map(untranslated);
  expect(dotted.some((line) => line.startsWith('{"rpc.server.'))).toBe(true);
  expect(read(dotted)).toEqual(read(linesOf(family)));
});

it.each([
  ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"],
  ["DeadlineExceeded", "DEADLINE_EXCEEDED"],
  ["4", "DEADLINE_EXCEEDED"],
  ["Ok", "OK"],
  ["0", "OK"],
  ["Canceled", "CANCELLED"],
  ["Cancelled", "CANCELLED"],
  ["1", "CANCELLED"],
  ["CODE(99)", "UNKNOWN"],
  ["17", "UNKNOWN"],
])("knows the code however it is spelt: %s", (word, code) => {
  expect(read([today(`rpc_method="a.B/C",rpc_response_status_code="${word}"`)])).toMatchObject({
    handledByCode: { [code]: 4 },
  });
});

it("counts no call twice, whatever families an app has together, and says whose counts they are", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(FAMILIES, { minLength: 1 }), (families) => {
      const seen = read(families.flatMap(linesOf));
      const [believed = ""] = seen?.families ?? [];
      const {
        durations: _durations,
        families: _families,
        ...alone
      } = read(linesOf(believed)) ?? {};
      expect(seen).toMatchObject(alone);
      expect(seen?.families.toSorted()).toEqual(families.toSorted());
    }),
    { numRuns: 20 },
  );
});

it("believes the first family that tells what is in flight", () => {
  expect(read(FAMILIES.toReversed().flatMap(linesOf))?.families).toEqual(FAMILIES);
});

it("believes none that is registered and does not count, or on one server of several", () => {
  const handled = (count: number) =>
    `grpc_server_handled_total{grpc_code="OK",grpc_service="${service}",grpc_method="GetOrder"} ${count}`;
  const with3 = [handled(3), ...linesOf("otel-rpc")];
  const with2 = [handled(2), ...linesOf("otel-rpc")];
  expect(read(with3)?.families).toEqual(["go-grpc-middleware", "otel-rpc"]);
  expect(read(with2)?.families).toEqual(["otel-rpc", "go-grpc-middleware"]);
});

it("has each family in the table of its page, in the order in which they are believed", () => {
  const page = readFileSync(new URL("../../docs/app-metrics.md", import.meta.url), "utf8");
  const told = [...page.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(told).toEqual(KNOWN.map(({ name }) => name));
});
