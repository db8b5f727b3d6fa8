import { afterAll, beforeAll, expect, it } from "vitest";
import { faultsOf } from "../config/load-file.ts";
import { refusingPort } from "../support/faulty-server.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { runLine } from "./run-line.ts";

let server: GrpcServer;
let bare: GrpcServer;
beforeAll(async () => {
  server = await startGrpcServer({ channelz: true, reflection: true });
  bare = await startGrpcServer({ health: false, channelz: false, reflection: false });
});
afterAll(async () => {
  await Promise.all([server.stop(), bare.stop()]);
});

it("lists the services", async () => {
  const { exit, stdout } = await runLine(["describe", server.address, "-plaintext"]);
  expect(exit).toBe(0);
  expect(stdout.split("\n")).toContain("order.OrderService");
});

it.each(["order.OrderService/GetOrder", "order.OrderService.GetOrder"])(
  "describes %s",
  async (symbol) => {
    const { exit, stdout } = await runLine(["describe", server.address, symbol]);
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout:
        "order.OrderService.GetOrder is a method:\nrpc GetOrder ( .order.GetOrderRequest ) returns ( .order.Order ) {\n  option idempotency_level = NO_SIDE_EFFECTS;\n}\n",
    });
  },
);

it("describes a service with what its methods promise, and a field", async () => {
  const service = await runLine(["describe", server.address, "order.OrderService"]);
  expect(service.stdout).toContain(`
  rpc GetOrder ( .order.GetOrderRequest ) returns ( .order.Order ) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc ProcessOrders (`);
  const field = await runLine(["describe", server.address, "order.Order.price"]);
  expect(field.stdout).toBe("order.Order.price is a field:\ndouble price = 4;\n");
});

it.each([
  ["order.OrderServce", "order.OrderService"],
  ["Order", "order.Order"],
  ["order.OrderService/GetOrdr", "order.OrderService.GetOrder"],
])("exits 1 for %s, which the server does not know, and names %s", async (symbol, meant) => {
  expect(await runLine(["describe", server.address, symbol])).toEqual({
    exit: 1,
    stdout: "",
    stderr: `${symbol} is not known there (did you mean ${meant}?)\n`,
  });
});

it("has no hint for a symbol that is near to none", async () => {
  const { exit, stderr } = await runLine(["describe", server.address, "zzz.Quux"]);
  expect({ exit, stderr }).toEqual({ exit: 1, stderr: "zzz.Quux is not known there\n" });
});

it("says what to do where reflection is not served", async () => {
  const { exit, stderr } = await runLine(["describe", bare.address]);
  expect({ exit, stderr }).toEqual({
    exit: 1,
    stderr: `${bare.address}: reflection is not served\n→ Register the reflection service with the server, or give -protoset FILE.\n`,
  });
});

it("prints the tree of channelz", async () => {
  const { exit, stdout } = await runLine(["channelz", server.address]);
  expect(exit).toBe(0);
  expect(stdout).toMatch(
    /^implementation grpc-js\nserver \d+ on .+: \d+ calls? \(\d+ succeeded, \d+ failed\), \d+ sockets?\n/,
  );
});

it("prints the tree as JSON", async () => {
  const { stdout } = await runLine(["channelz", server.address, "-o", "json"]);
  expect(JSON.parse(stdout)).toMatchObject({ implementation: "grpc-js" });
});

it("gives the diagnosis instead of a code where channelz is not served", async () => {
  const { exit, stdout, stderr } = await runLine(["channelz", bare.address]);
  expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
  expect(stderr).toMatch(
    /^127.0.0.1:\d+: channelz is not served\n→ Add the channelz service to the server: .*\n$/,
  );
});

it.each(["describe", "channelz", "config init --target"])(
  "gives the diagnosis where nothing listens: %s",
  async (command) => {
    const { port, release } = await refusingPort();
    const outcome = await runLine(`${command} 127.0.0.1:${port}`);
    await release();
    expect(outcome).toEqual({
      exit: 1,
      stdout: "",
      stderr: `127.0.0.1:${port}: tcp: nothing listens there (ECONNREFUSED)\nFor the whole diagnosis: grpc-doctor check 127.0.0.1:${port}\n`,
    });
  },
);

it("writes a starting file that is valid, with and without its probes", async () => {
  const { exit, stdout } = await runLine(["config", "init", "--target", server.address]);
  expect(exit).toBe(0);
  expect(stdout.replaceAll(server.address, "ADDR")).toBe(`targets:
  - name: app
    address: ADDR
    health:
      services:
        - ""
        - order.OrderService

# Remove the \`#\` of those that you want; WRITES? may change data.
#probes:
#  - name: get-order
#    target: app
#    method: order.OrderService/GetOrder # unary
#    request: {}
#    every: 30s
#  - name: add-order # WRITES?
#    target: app
#    method: order.OrderService/AddOrder # unary
#    request: {}
#    every: 30s
#  - name: search-orders
#    target: app
#    method: order.OrderService/SearchOrders # server-streaming
#    request: {}
#    every: 30s
#  - name: update-orders # WRITES?
#    target: app
#    method: order.OrderService/UpdateOrders # client-streaming
#    request: [{}]
#    every: 30s
#  - name: process-orders # WRITES?
#    target: app
#    method: order.OrderService/ProcessOrders # bidi
#    request: [{}]
#    every: 30s
`);
  expect(faultsOf(stdout)).toBe("");
  expect(faultsOf(stdout.replaceAll(/^#(?! )/gm, "").replaceAll(/^#(?= {2,})/gm, ""))).toBe("");
});

it("writes what it can of a server that tells nothing", async () => {
  const { exit, stdout, stderr } = await runLine([
    "config",
    "init",
    "-plaintext",
    "-target",
    bare.address,
  ]);
  expect({ exit, stderr }).toEqual({
    exit: 0,
    stderr:
      "health does not list its services (UNIMPLEMENTED)\nreflection is not served (UNIMPLEMENTED)\n",
  });
  expect(stdout).toContain("    tls: off\n");
  expect(faultsOf(stdout)).toBe("");
});

it.each([
  ["channelz", "channelz: ADDR is missing"],
  ["describe", "describe: ADDR is missing"],
  ["channelz a:1 -max-time x", "channelz: --max-time takes seconds, not x"],
  ["describe a:1 -protoset x", "describe: SYMBOL is missing; a protoset needs one"],
  ["describe a:1 x -protoset /none", "describe: -protoset /none cannot be read (no such file)"],
  ["config init", "config init: ADDR is missing"],
])("refuses %s", async (line, message) => {
  const { exit, stderr } = await runLine(line);
  expect(exit).toBe(2);
  expect(stderr.startsWith(`grpc-doctor ${message}`)).toBe(true);
});
