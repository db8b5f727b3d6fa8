import { expect, it } from "vitest";
import { defaultSettings } from "../../src/config/defaults.ts";
import { loadSettings } from "../../src/config/load.ts";
import { faultsOf, loadOptions } from "./load-file.ts";
import { RECORDS } from "./records.ts";

const FULL = `
listen: "[::1]:1"
admin: "0.0.0.0:2"
adminToken: token
log: { level: debug, format: text }
tracing: { endpoint: "http://otel:4317", ratio: 0.5 }
webhook: { url: "https://hooks.example/x" }
snapshots: /var/lib/grpc-doctor
targets:
  - name: app
    address: localhost:50051
    authority: orders.shop.svc
    tls: { ca: ca.pem, cert: tls.crt, key: tls.key, servedFrom: app.crt }
    metadata: { authorization: { file: token, prefix: "Bearer " }, x-tenant: "\${TENANT}" }
    health: { services: ["", order.OrderService], expect: any }
    channelz: { every: 30s }
    metrics: http://localhost:9090/metrics
    protoset: orders.binpb
    startup: 5m
    findings: { dns-stale: { absent: 3m }, deadline-storm: on }
  - { name: inventory, role: upstream, address: "dns:///inventory:50051", tls: false, channelz: off }
probes:
  - name: get-order
    target: app
    method: order.OrderService/GetOrder
    request: { id: order-123 }
    every: 10s
    deadline: 500ms
    connection: fresh
    compression: gzip
    metadata: { x-probe: "1" }
    expect: { status: NOT_FOUND, latency: 200ms, that: ['true'] }
    protoset: other.binpb
  - { name: stream, target: app, method: a.B/C, request: [{ a: 1 }, "text"], cron: "*/5 * * * *" }
  - { name: filed, target: inventory, method: a.B/D, request: "@order.json" }
findings:
  dns-stale: { severity: critical, hold: 5s, absent: 2m }
  deadline-storm: off
  traffic-stopped: on
ignore:
  - { code: dns-stale, target: app, until: 2027-01-15, reason: booked }
  - { code: deadline-storm, reason: known }
`;

const STALE = { enabled: true, severity: "critical", holdMs: 5000, clearAfterMs: 120_000 };
const STORM = {
  holdMs: 30_000,
  clearAfterMs: 60_000,
  limits: { ratio: 0.05, calls: 20, size: 65_536 },
};
const STOPPED = { enabled: true, holdMs: 60_000, clearAfterMs: 60_000, limits: {} };
const REJECTED = { enabled: true, holdMs: 0, clearAfterMs: 60_000, limits: {} };

it("turns a full file into settings", () => {
  const resolvePath = (path: string) => (path.startsWith("/") ? path : `/etc/${path}`);
  expect(loadSettings(loadOptions(FULL, { resolvePath }))).toEqual({
    listen: { host: "::1", port: 1 },
    admin: { host: "0.0.0.0", port: 2 },
    adminToken: "/etc/token",
    log: { level: "debug", format: "text" },
    tracing: { endpoint: "http://otel:4317", ratio: 0.5 },
    webhook: { url: "https://hooks.example/x" },
    snapshots: "/var/lib/grpc-doctor",
    targets: [
      {
        name: "app",
        role: "app",
        address: "localhost:50051",
        endpoint: { kind: "name", host: "localhost", port: 50_051 },
        authority: "orders.shop.svc",
        tls: {
          mode: "tls",
          ca: "/etc/ca.pem",
          cert: "/etc/tls.crt",
          key: "/etc/tls.key",
          servedFrom: "/etc/app.crt",
        },
        metadata: [
          { key: "authorization", value: { kind: "file", path: "/etc/token", prefix: "Bearer " } },
          { key: "x-tenant", value: { kind: "literal", value: "blue" } },
        ],
        health: { services: ["", "order.OrderService"], expect: "any" },
        channelz: { everyMs: 30_000 },
        metrics: "http://localhost:9090/metrics",
        protoset: "/etc/orders.binpb",
        startupMs: 300_000,
      },
      {
        name: "inventory",
        role: "upstream",
        address: "dns:///inventory:50051",
        endpoint: { kind: "name", host: "inventory", port: 50_051 },
        tls: { mode: "plaintext" },
        metadata: [],
        health: { services: [""], expect: "SERVING" },
        startupMs: 600_000,
      },
    ],
    probes: [
      {
        name: "get-order",
        target: "app",
        method: "order.OrderService/GetOrder",
        requests: [{ id: "order-123" }],
        schedule: { everyMs: 10_000 },
        deadlineMs: 500,
        connection: "fresh",
        compression: "gzip",
        metadata: [{ key: "x-probe", value: { kind: "literal", value: "1" } }],
        expect: { status: "NOT_FOUND", latencyMs: 200, that: ["true"] },
        protoset: "/etc/other.binpb",
      },
      {
        name: "stream",
        target: "app",
        method: "a.B/C",
        requests: [{ a: 1 }, "text"],
        schedule: { cron: "*/5 * * * *" },
        deadlineMs: 1000,
        connection: "kept",
        compression: "identity",
        metadata: [],
        expect: { status: "OK", that: [] },
      },
      {
        name: "filed",
        target: "inventory",
        method: "a.B/D",
        requests: [{ id: "from-file" }],
        schedule: { everyMs: 30_000 },
        deadlineMs: 1000,
        connection: "kept",
        compression: "identity",
        metadata: [],
        expect: { status: "OK", that: [] },
      },
    ],
    findings: {
      app: {
        "dns-stale": { ...STALE, limits: { absent: 180_000 } },
        "deadline-storm": { ...STORM, enabled: true },
        "traffic-stopped": STOPPED,
        "config-rejected": REJECTED,
      },
      inventory: {
        "dns-stale": { ...STALE, limits: { absent: 120_000 } },
        "deadline-storm": { ...STORM, enabled: false },
        "traffic-stopped": STOPPED,
        "config-rejected": REJECTED,
      },
      "grpc-doctor": {
        "dns-stale": { ...STALE, limits: { absent: 120_000 } },
        "deadline-storm": { ...STORM, enabled: false },
        "traffic-stopped": STOPPED,
        "config-rejected": REJECTED,
      },
    },
    ignore: [
      { code: "dns-stale", target: "app", until: Date.parse("2027-01-15"), reason: "booked" },
      { code: "deadline-storm", reason: "known" },
    ],
  });
});

const SMALLEST = "targets: [{ name: app, address: localhost:50051 }]";

it("fills in what `run --target` has without a file", () => {
  expect({ value: loadSettings(loadOptions(SMALLEST)) }).toEqual(
    defaultSettings({ address: "localhost:50051", detectors: RECORDS }),
  );
});

it("watches nothing by default where no address is known", () => {
  expect(defaultSettings({ detectors: RECORDS })).toMatchObject({
    value: { targets: [], probes: [] },
  });
});

it("says what an address of the command line should be", () => {
  expect(defaultSettings({ address: "localhost", detectors: RECORDS })).toEqual({
    allowed: "localhost:port (the port is needed)",
  });
});

it.each([
  ["no variable is set", {}, "", undefined],
  [
    "an endpoint variable is set",
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4317" },
    "",
    { ratio: 0.1 },
  ],
  [
    "the SDK is disabled",
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4317", OTEL_SDK_DISABLED: "TRUE" },
    "",
    undefined,
  ],
  [
    "the file says off",
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4317" },
    "tracing: off\n",
    undefined,
  ],
  ["the file gives a ratio", {}, "tracing: { ratio: 1 }\n", { ratio: 1 }],
])("has tracing as it should be when %s", (_when, environment, section, tracing) => {
  expect(loadSettings(loadOptions(section + SMALLEST, { environment })).tracing).toEqual(tracing);
});

it("takes half a short interval as deadline", () => {
  const probe = "probes: [{ name: p, target: app, method: a.B/C, every: 500ms }]";
  expect(loadSettings(loadOptions(`${SMALLEST}\n${probe}`)).probes[0]?.deadlineMs).toBe(250);
});

it("writes the log as text where the caller is a terminal and the file is silent", () => {
  expect(loadSettings(loadOptions(SMALLEST, { logFormat: "text" })).log.format).toBe("text");
});

it.each([
  ["{", "is no JSON"],
  [undefined, "cannot be read"],
])("refuses a request file that holds %j", (content, why) => {
  const text = `${SMALLEST}\nprobes: [{ name: p, target: app, method: a.B/C, request: "@r.json" }]`;
  const readFile = () => content ?? raise();
  expect(faultsOf(text, { readFile })).toBe(
    `grpc-doctor.yaml:2:58: probes[0].request: found r.json, which ${why}, allowed: a file with one JSON message, or a list of them`,
  );
});

function raise(): never {
  throw new Error("EACCES");
}

it.each([
  ["an app, by itself", "", { everyMs: 10_000 }],
  ["an upstream, by itself: its other clients' agents would ask too", "role: upstream", undefined],
  ["an upstream that asks for it", "role: upstream, channelz: { every: 20s }", { everyMs: 20_000 }],
  ["an app that is silent", "channelz: off", undefined],
])("reads channelz of %s", (_who, more, expected) => {
  const text = `targets: [{ name: a, address: "localhost:1", ${more} }]`;
  expect(loadSettings(loadOptions(text)).targets[0]?.channelz).toEqual(expected);
});
