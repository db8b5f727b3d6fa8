import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { parseMessages } from "../../src/cli/message-sequence.ts";
import type { Tools } from "../../src/cli/tools.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { aFinding, aReport, SNAPSHOT, someSettings } from "./a-report.ts";
import { runLine } from "./run-line.ts";

let server: GrpcServer;
let bare: GrpcServer;
let config: string;
beforeAll(async () => {
  const down = { code: status.UNAVAILABLE, details: "stores are down" };
  server = await startGrpcServer({ handlers: { AddOrder: (_call, done) => done(down) } });
  bare = await startGrpcServer({ reflection: false });
  config = join(mkdtempSync(join(tmpdir(), "grpc-doctor-")), "probes.yaml");
  writeFileSync(
    config,
    `targets: [{ name: app, address: "${server.address}", tls: off }]
probes:
  - { name: get-order, target: app, method: order.OrderService/GetOrder, request: { id: order-123 } }
  - { name: dear-order, target: app, method: order.OrderService/GetOrder, request: { id: order-123 }, expect: { that: [response.price > 100.0] } }
  - { name: no-order, target: app, method: order.OrderService/GetOrdr }
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

it("tells the diagnosis when the way to the server fails", async () => {
  const { exit, stdout, stderr } = await runLine(
    call("order.OrderService/AddOrder", "-d", "{}"),
    {},
    { examine },
  );
  expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
  expect(stderr.split("\n").slice(0, 3)).toEqual([
    "order.OrderService/AddOrder failed: in rpc, the server answered with an error (UNAVAILABLE: stores are down)",
    "",
    "✖ critical  dns-stale  app · orders.shop.svc",
  ]);
});

it("says that no cause was found", async () => {
  const look: Tools["examine"] = async (...asked) => ({
    ...(await examine(...asked)),
    report: aReport(),
  });
  const { stderr } = await runLine(call("order.OrderService/AddOrder"), {}, { examine: look });
  expect(stderr.split("\n").slice(1)).toEqual([
    "",
    `No cause was found; a longer look: grpc-doctor check ${server.address} --for 30s`,
    "",
  ]);
});

it.each([
  [
    "what the app says of a request",
    ["order.OrderService/GetOrder", "-d", '{"id":"x"}'],
    "failed: in rpc, the server answered with an error (NOT_FOUND: no order x)\n",
  ],
  [
    "a request that does not fit",
    ["order.OrderService/GetOrder", "-d", '{"idd":"x"}'],
    'failed: request: cannot decode message order.GetOrderRequest from JSON: key "idd" is unknown\n→ Correct the request (`request` of the probe, -d of a command): the server\'s types have no such message.\n',
  ],
  [
    "a mistyped method",
    ["order.OrderService/GetOrdr"],
    "failed: order.OrderService has no method GetOrdr\n→ Did you mean order.OrderService/GetOrder?\n",
  ],
  [
    "a mistyped service",
    ["order.OrderServce/GetOrder"],
    "failed: the server's reflection names no service order.OrderServce\n→ Did you mean order.OrderService/GetOrder?\n",
  ],
  [
    "a service without its package",
    ["OrderService/GetOrder"],
    "failed: the server's reflection names no service OrderService\n→ Did you mean order.OrderService/GetOrder?\n",
  ],
  [
    "a method that is near to none",
    ["order.OrderService/Zzz"],
    "failed: order.OrderService has no method Zzz\n→ It names order.OrderService/GetOrder, order.OrderService/AddOrder, order.OrderService/SearchOrders, order.OrderService/UpdateOrders, order.OrderService/ProcessOrders. A `protoset` describes what reflection does not.\n",
  ],
])("looks for no cause of %s", async (_what, words, told) => {
  expect(await runLine(call(...words))).toEqual({
    exit: 1,
    stdout: "",
    stderr: `${words[0]} ${told}`,
  });
});

it("prints what a stream gave before it was cut off by -max-time", async () => {
  const endless = await startGrpcServer({
    handlers: { SearchOrders: (stream) => void stream.write({ id: "order-1" }) },
  });
  onTestFinished(endless.crash);
  const method = "order.OrderService/SearchOrders";
  const line = ["call", endless.address, method, "-max-time", "2"];
  const { exit, stdout, stderr } = await runLine(line, {}, { examine });
  expect({ exit, answer: JSON.parse(stdout) }).toEqual({ exit: 1, answer: { id: "order-1" } });
  // Of the call, or of all that was around it too, whichever was over first.
  expect(stderr).toMatch(/^\S+ failed: (?:in rpc, no answer in time |not within 2 s )/);
});

it("tells headers and trailers with -v", async () => {
  const { stderr } = await runLine(
    call("order.OrderService/GetOrder", "-v", "-d", '{"id":"order-123"}'),
  );
  expect(stderr).toMatch(
    /^headers\n {2}content-type +application\/grpc.*\n[^]*took {2}[\d.]+ ms\n$/,
  );
});

it("says what is missing where reflection is not served", async () => {
  const outcome = await runLine(["call", bare.address, "order.OrderService/GetOrder"]);
  expect(outcome).toEqual({
    exit: 1,
    stdout: "",
    stderr:
      "order.OrderService/GetOrder failed: reflection: UNIMPLEMENTED\n→ Register the reflection service with the server, or give a protoset (`protoset` of the probe, -protoset FILE of a command).\n",
  });
});

it.each([
  ["call a:1", "METHOD is missing"],
  ["call a:1 GetOrder", "METHOD is package.Service/Method, not GetOrder"],
  ["call a:1 a.B/C -d {", "-d takes JSON; it is none at position 1"],
  ["call a:1 a.B/C -d hunter2", "-d takes JSON\n"],
  ['call a:1 a.B/C -d {"password":hunter2}', "-d takes JSON"],
  [
    "call a:1 a.B/C -H authorization: Bearer hunter2",
    "no more than ADDR METHOD is expected, 4 were",
  ],
  ["call a:1 a.B/C -H authorization=hunter2", "-H takes 'KEY: VALUE'"],
])("refuses %s", async (line, message) => {
  const { exit, stderr } = await runLine(line);
  expect(exit).toBe(2);
  expect(stderr).toMatch(`grpc-doctor call: ${message}`);
  expect(stderr).not.toContain("hunter2");
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

it("exits 1 for a probe that could not be run", async () => {
  const { exit, stdout } = await runLine(["probe", "no-order", "-c", config]);
  expect({ exit, lines: stdout.split("\n").slice(0, 2) }).toEqual({
    exit: 1,
    lines: [
      "unsupported  no-order: order.OrderService has no method GetOrdr",
      "  → Did you mean order.OrderService/GetOrder?",
    ],
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
