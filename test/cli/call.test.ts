import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseMessages } from "../../src/cli/message-sequence.ts";
import type { Tools } from "../../src/cli/tools.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { aFinding, aReport, SNAPSHOT, someSettings } from "./a-report.ts";
import { runLine } from "./run-line.ts";

let server: GrpcServer;
let bare: GrpcServer;
let config: string;
beforeAll(async () => {
  server = await startGrpcServer();
  bare = await startGrpcServer({ reflection: false });
  config = join(mkdtempSync(join(tmpdir(), "grpc-doctor-")), "probes.yaml");
  writeFileSync(
    config,
    `targets: [{ name: app, address: "${server.address}", tls: off }]
probes:
  - { name: get-order, target: app, method: order.OrderService/GetOrder, request: { id: order-123 } }
  - { name: dear-order, target: app, method: order.OrderService/GetOrder, request: { id: order-123 }, expect: { that: [response.price > 100.0] } }
`,
  );
});
afterAll(async () => {
  await Promise.all([server.stop(), bare.stop()]);
});

const call = (...words: readonly string[]) => ["call", server.address, ...words];
const examine: Tools["examine"] = async () => ({
  settings: someSettings(),
  snapshot: SNAPSHOT,
  report: aReport({ active: [aFinding()] }),
});

it.each([
  ["unary", "GetOrder", '{"id":"order-123"}', ["order-123"]],
  ["server-streaming", "SearchOrders", "{}", ["order-123", "order-124"]],
  ["bidi", "ProcessOrders", '{"id":"a"} {"id":"b"}', ["a", "b"]],
])("makes a %s call", async (_kind, method, data, ids) => {
  const { exit, stdout, stderr } = await runLine(call(`order.OrderService/${method}`, "-d", data));
  const messages = parseMessages(stdout) as readonly { readonly id: string }[];
  expect({ exit, stderr, ids: messages.map(({ id }) => id) }).toEqual({ exit: 0, stderr: "", ids });
});

it("makes a client-streaming call of what standard input holds", async () => {
  const stdin = (async function* () {
    yield '{"id":"a"}\n{"id"';
    yield Buffer.from(':"b"}\n');
  })();
  const { exit, stdout } = await runLine(
    call("order.OrderService.UpdateOrders", "-plaintext", "-d", "@"),
    { stdin },
  );
  expect({ exit, answer: JSON.parse(stdout) }).toEqual({ exit: 0, answer: { updated: 2 } });
});

it("tells the diagnosis when the call fails", async () => {
  const { exit, stdout, stderr } = await runLine(
    call("order.OrderService/GetOrder", "-d", '{"id":"x"}'),
    {},
    { examine },
  );
  expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
  expect(stderr.split("\n").slice(0, 3)).toEqual([
    "order.OrderService/GetOrder failed: in rpc, the server answered with an error (NOT_FOUND: no order x)",
    "",
    "✖ critical  dns-stale  app · orders.shop.svc",
  ]);
});

it("says what is missing where reflection is not served", async () => {
  const outcome = await runLine(["call", bare.address, "order.OrderService/GetOrder"]);
  expect(outcome).toEqual({
    exit: 1,
    stdout: "",
    stderr:
      "order.OrderService/GetOrder failed: reflection: UNIMPLEMENTED\n→ Give the probe a `protoset`, or register the reflection service with the server.\n",
  });
});

it.each([
  ["call a:1", "METHOD is missing"],
  ["call a:1 GetOrder", "METHOD is package.Service/Method, not GetOrder"],
  ["call a:1 a.B/C -d {", "-d takes JSON: "],
])("refuses %s", async (line, message) => {
  const { exit, stderr } = await runLine(line);
  expect(exit).toBe(2);
  expect(stderr.startsWith(`grpc-doctor call: ${message}`)).toBe(true);
});

it.each([
  ["", []],
  ['{"a":1}', [{ a: 1 }]],
  ['{"a":"}\\""}\n{"b":[{}]} ', [{ a: '}"' }, { b: [{}] }]],
  ["[1] 2", [[1], 2]],
])("reads the messages of %j", (text, messages) => {
  expect(parseMessages(text)).toEqual(messages);
});

it.each(["{", '{"a":1}}', "x", '{"a":1},{}'])("refuses the messages of %j", (text) => {
  expect(() => parseMessages(text)).toThrow(SyntaxError);
});

it("runs a configured probe now and shows every phase", async () => {
  const { exit, stdout } = await runLine(["probe", "get-order", "-c", config]);
  expect(exit).toBe(0);
  expect(stdout).toMatch(
    /^passed {2}get-order\n {2}method +order.OrderService\/GetOrder\n {2}peer +127.0.0.1:\d+\n {2}status +OK\n/,
  );
  expect(stdout).toContain('\nresponses\n  {\n    "id": "order-123",\n');
});

it("exits 1 for a probe whose assertion fails, and says what was there", async () => {
  const { exit, stdout } = await runLine(["probe", "dear-order", "-c", config]);
  expect({ exit, first: stdout.split("\n")[0] }).toEqual({
    exit: 1,
    first: "failed  dear-order: response.price > 100.0 is not so: response.price = 12.5",
  });
});

it("prints a probe as JSON", async () => {
  const { stdout } = await runLine(["probe", "get-order", "-o", "json", "-c", config]);
  expect(JSON.parse(stdout)).toMatchObject({
    probe: "get-order",
    outcome: "passed",
    status: "OK",
    responses: [{ id: "order-123" }],
    traceId: "80".repeat(16),
  });
});
