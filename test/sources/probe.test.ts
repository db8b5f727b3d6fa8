import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { JobOf } from "../../src/model/job.ts";
import type { Observation, ProbeObservation } from "../../src/model/observation.ts";
import type { ProbeSpec } from "../../src/model/probe-spec.ts";
import type { Target } from "../../src/model/target.ts";
import { closeProbes, probe } from "../../src/sources/probe.ts";
import { issue, issueCa, writeFiles } from "../support/certificates.ts";
import {
  answers,
  type Handler,
  refusingPort,
  startFaultyServer,
} from "../support/faulty-server.ts";
import {
  type GrpcServer,
  type GrpcServerOptions,
  orderFiles,
  startGrpcServer,
} from "../support/grpc-server.ts";
import { bomb } from "../support/hostile/bomb.ts";
import { endless } from "../support/hostile/endless.ts";
import { aLook, type Look } from "../support/look.ts";
import { aTarget } from "../support/targets.ts";

const started: { stop(): Promise<void> }[] = [];
const looks: Look[] = [];

afterEach(async () => {
  await Promise.all(looks.map((look) => closeProbes(look.tools)));
  await Promise.all(looks.splice(0).map((look) => look.close()));
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

const getOrder: ProbeSpec = {
  name: "get-order",
  target: "app",
  method: "order.OrderService/GetOrder",
  requests: [{ id: "order-123" }],
  schedule: { everyMs: 30_000 },
  deadlineMs: 2000,
  connection: "kept",
  compression: "identity",
  metadata: [],
  expect: { status: "OK", that: [] },
};
const GET_ORDER = "/order.OrderService/GetOrder";
const job = (change: Partial<ProbeSpec> = {}): JobOf<"probe"> => ({
  key: "probe/get-order",
  source: "probe",
  label: "probe/get-order",
  target: "app",
  cadence: { kind: "every", ms: 30_000 },
  deadlineMs: 10_000,
  spec: { ...getOrder, ...change },
  sampleRatio: 0,
});

async function grpcServer(
  options: GrpcServerOptions = {},
  stated: Partial<Target> = {},
): Promise<[GrpcServer, Look]> {
  const server = await startGrpcServer(options);
  const look = aLook(server.target(stated));
  started.push(server);
  looks.push(look);
  return [server, look];
}

async function run(look: Look, change?: Partial<ProbeSpec>) {
  const observations = await look.run(probe, job(change));
  return observations.find((each): each is ProbeObservation => each.kind === "run")!;
}

const capabilities = (observations: readonly Observation[]) =>
  observations.filter((each) => each.kind === "capability");
const kept = (ms: number) => ({ rpc: ms });
const aMs = expect.any(Number);

it("tells all of a run that passed", async () => {
  const [server, look] = await grpcServer();
  expect(await look.run(probe, job())).toEqual([
    {
      source: "probe",
      kind: "run",
      target: "app",
      at: aMs,
      probe: "get-order",
      method: "order.OrderService/GetOrder",
      outcome: "passed",
      status: "OK",
      durationMs: aMs,
      firstMessageMs: aMs,
      phaseMs: { tcp: aMs, http2: aMs, rpc: aMs },
      deadlineMs: 2000,
      connection: "kept",
      isFirstOnChannel: true,
      scheduleLagMs: 0,
      requestBytes: 11,
      responseBytes: 48,
      address: server.address,
      peer: server.address,
      traceId: "80".repeat(16),
      spanId: "80".repeat(8),
      isSampled: false,
    },
  ]);
});

it("counts the metadata that is configured, by its longest value", async () => {
  const [, look] = await grpcServer();
  const metadata = [entry("x-tenant", "blue"), entry("authorization", "Bearer 00123456789")];
  const seen = await run(look, { metadata });
  expect(seen.metadata).toEqual({
    bytes: 8 + 4 + 32 + (13 + 18 + 32),
    largestKey: "authorization",
    largestValueBytes: 18,
  });
  expect(await run(look)).not.toHaveProperty("metadata");
});

describe("a channel", () => {
  it("is kept between runs", async () => {
    const [, look] = await grpcServer();
    await run(look);
    const second = await run(look);
    expect([second.isFirstOnChannel, second.phaseMs]).toEqual([false, kept(aMs)]);
  });

  it("is another for each run of a fresh probe", async () => {
    const [, look] = await grpcServer();
    await run(look, { connection: "fresh" });
    const second = await run(look, { connection: "fresh" });
    expect([second.isFirstOnChannel, Object.keys(second.phaseMs)]).toEqual([
      true,
      ["tcp", "http2", "rpc"],
    ]);
  });

  it("that got stuck is replaced", async () => {
    const handlers = { [GET_ORDER]: answers.messages([]) };
    const dead = await startFaultyServer({ handlers });
    const look = aLook(aTarget(dead.address, { protoset: await protoset() }));
    looks.push(look);
    await run(look);
    await dead.crash();
    const lost = await run(look);
    const alive = await startFaultyServer({ port: dead.port, handlers });
    started.push(alive);
    const back = await run(look);
    expect([lost.outcome, back.outcome, back.isFirstOnChannel]).toEqual(["failed", "passed", true]);
  });
});

describe("each kind of RPC", () => {
  it.each([
    ["GetOrder", [{ id: "order-123" }], "response.price == 12.5"],
    [
      "SearchOrders",
      [{ item: "tea" }],
      "responses.map(each, each.id) == ['order-123', 'order-124']",
    ],
    ["UpdateOrders", [{ id: "a" }, { id: "b" }, {}], "response.updated == 3"],
    ["ProcessOrders", [{ id: "a" }, { id: "b" }], "responses.all(each, each.status == 'PACKED')"],
  ])("%s", async (method, requests, that) => {
    const [, look] = await grpcServer();
    const seen = await run(look, {
      method: `order.OrderService/${method}`,
      requests,
      expect: { status: "OK", that: [that] },
    });
    expect([seen.outcome, seen.actual]).toEqual(["passed", undefined]);
  });
});

it("sends metadata, a trace context and compressed messages", async () => {
  const server = await startFaultyServer({ handlers: { [GET_ORDER]: answers.messages([]) } });
  const look = aLook(
    aTarget(server.address, {
      metadata: [entry("x-tenant", "target"), entry("x-region", "eu")],
      protoset: await protoset(),
    }),
  );
  started.push(server);
  looks.push(look);
  await look.run(probe, {
    ...job({ compression: "gzip", metadata: [entry("x-tenant", "probe")] }),
    sampleRatio: 1,
  });
  const calls = server.calls.filter((headers) => headers[":path"] === GET_ORDER);
  expect(calls).toEqual([
    expect.objectContaining({
      "x-tenant": "probe",
      "x-region": "eu",
      traceparent: `00-${"80".repeat(16)}-${"80".repeat(8)}-01`,
      "grpc-encoding": "gzip",
      "grpc-timeout": expect.stringMatching(/^\d+m$/),
    }),
  ]);
});

describe("fails", () => {
  it("with the server's status", async () => {
    const [, look] = await grpcServer();
    expect(await run(look, { requests: [{ id: "nope" }] })).toMatchObject({
      outcome: "failed",
      phase: "rpc",
      reason: "status",
      status: "NOT_FOUND",
      statusText: "no order nope",
    });
  });

  it("with its deadline", async () => {
    const [, look] = await grpcServer({ handlers: { GetOrder: () => {} } });
    expect(await run(look, { deadlineMs: 100 })).toMatchObject({
      outcome: "failed",
      phase: "rpc",
      reason: "deadline",
      status: "DEADLINE_EXCEEDED",
    });
  });

  it("with an assertion, naming it and what was there", async () => {
    const [, look] = await grpcServer();
    const that = ["response.price < 1000.0", "response.price < 10.0"];
    expect(await run(look, { expect: { status: "OK", that } })).toMatchObject({
      outcome: "failed",
      phase: "assert",
      reason: "assertion",
      status: "OK",
      assertion: "response.price < 10.0",
      actual: "response.price = 12.5",
    });
  });

  it("when it expects another status than it got", async () => {
    const [, look] = await grpcServer();
    expect(await run(look, { expect: { status: "NOT_FOUND", that: [] } })).toMatchObject({
      outcome: "failed",
      phase: "assert",
      assertion: "status == NOT_FOUND",
      actual: "OK",
    });
  });

  it("with the phase and reason of our own connection where there is none", async () => {
    const { port, release } = await refusingPort();
    const look = aLook(aTarget(`127.0.0.1:${port}`, { protoset: await protoset() }));
    looks.push(look);
    const seen = await run(look, { expect: { status: "OK", that: [] } });
    await release();
    expect([seen.outcome, seen.phase, seen.reason, seen.status]).toEqual([
      "failed",
      "tcp",
      "refused",
      undefined,
    ]);
  });
});

describe("makes no call that does not fit the types of its method", () => {
  const lacks = async (change: Partial<ProbeSpec>) => {
    const [, look] = await grpcServer();
    const observations = await look.run(probe, job(change));
    const [capability, made] = observations;
    expect(made).toMatchObject({ kind: "run", outcome: "unsupported", responseBytes: 0 });
    return capability;
  };
  const capability = {
    source: "probe",
    kind: "capability",
    target: "app",
    at: aMs,
    available: false,
  };

  it("a request with a field that is not there", async () => {
    expect(await lacks({ requests: [{ idd: "a" }] })).toEqual({
      ...capability,
      part: "request of get-order",
      reason: 'cannot decode message order.GetOrderRequest from JSON: key "idd" is unknown',
      fix: "Correct the request (`request` of the probe, -d of a command): the server's types have no such message.",
    });
  });

  it("an assertion on a field that is not there", async () => {
    const that = ["response.price > 0.0", "response.prize > 0.0"];
    expect(await lacks({ expect: { status: "OK", that } })).toEqual({
      ...capability,
      part: "assertions of get-order",
      reason: "response.prize > 0.0: order.Order has no field prize; did you mean price?",
      fix: "Correct `expect.that` of the probe: it must be true or false of the method's answer.",
    });
  });
});

describe("passes", () => {
  it("with the status that it expects", async () => {
    const [, look] = await grpcServer();
    const change = {
      requests: [{ id: "nope" }],
      expect: { status: "NOT_FOUND", that: [] },
    } as const;
    expect(await run(look, change)).toMatchObject({ outcome: "passed", status: "NOT_FOUND" });
  });

  it("though it was slower than its objective", async () => {
    const [, look] = await grpcServer();
    const expected = { status: "OK", latencyMs: 0, that: [] } as const;
    expect(await run(look, { expect: expected })).toMatchObject({ outcome: "passed" });
  });
});

describe("is unsupported, and a capability told once,", () => {
  it("where the server wants credentials and we have none", async () => {
    const [, look] = await grpcServer({ handlers: { GetOrder: rejected } });
    const first = await look.run(probe, job());
    const second = await look.run(probe, job());
    expect(capabilities([...first, ...second])).toEqual([
      {
        source: "probe",
        kind: "capability",
        target: "app",
        at: aMs,
        part: "credentials",
        available: false,
        reason: "UNAUTHENTICATED",
        fix: expect.stringContaining("metadata"),
      },
    ]);
    expect(second).toEqual([expect.objectContaining({ kind: "run", outcome: "unsupported" })]);
  });

  it("but not where we have some", async () => {
    const [, look] = await grpcServer(
      { handlers: { GetOrder: rejected } },
      { metadata: [entry("authorization", "Bearer x")] },
    );
    expect(await look.run(probe, job())).toEqual([
      expect.objectContaining({ kind: "run", outcome: "failed", status: "UNAUTHENTICATED" }),
    ]);
  });

  it("where the server does not describe the method", async () => {
    const [, look] = await grpcServer();
    const observations = await look.run(probe, job({ method: "order.OrderService/Nope" }));
    expect(capabilities(observations)).toEqual([
      expect.objectContaining({ part: "order.OrderService/Nope of get-order", available: false }),
    ]);
  });

  it("where there are no descriptors at all", async () => {
    const [, look] = await grpcServer({ reflection: false });
    expect(capabilities(await look.run(probe, job()))).toEqual([
      expect.objectContaining({ part: "reflection", reason: "UNIMPLEMENTED", available: false }),
    ]);
    const withSet = await look.run(probe, job({ protoset: await protoset() }));
    expect(withSet).toEqual([
      expect.objectContaining({ kind: "capability", part: "reflection", available: true }),
      expect.objectContaining({ kind: "run", outcome: "passed" }),
    ]);
  });
});

describe("beside a server that misbehaves, a probe", () => {
  const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const MIB = 2 ** 20;
  const probed = async (
    handlers: Readonly<Record<string, Handler>>,
    change?: Partial<ProbeSpec>,
  ) => {
    const server = await startFaultyServer({ handlers });
    const look = aLook(aTarget(server.address));
    started.push(server);
    looks.push(look);
    const observations = await look.run(probe, job(change));
    const made = observations.find(({ kind }) => kind === "run") as ProbeObservation;
    const [missing] = capabilities(observations);
    return { outcome: made.outcome, reason: made.reason, missing };
  };

  it.each([
    ["is no reflection", answers.messages([255]), "malformed_reply"],
    ["is a web page", answers.http(200, "text/html", "<html>"), "not_grpc"],
    ["is larger than any", answers.body(Buffer.from([0, 255, 255, 255, 255])), "message_too_large"],
  ])("is not made where what describes it %s", async (_sentence, handler, reason) => {
    expect(await probed({ [REFLECTION]: handler })).toEqual({
      outcome: "unsupported",
      reason: undefined,
      missing: expect.objectContaining({ part: "reflection", available: false, reason }),
    });
  });

  it.each([
    ["what is no message", answers.body(Buffer.from([0, 0, 0, 0, 1, 255])), "malformed_reply"],
    ["a gigabyte that was gzipped", bomb("gzip", 1024), "status"],
    ["a deflated bomb", bomb("deflate", 64), "status"],
    ["messages without end", endless([8, 1]), "message_too_large"],
  ])("fails on %s", async (_sentence, handler, reason) => {
    const before = process.memoryUsage().rss;
    const { outcome, reason: told } = await probed(
      { [GET_ORDER]: handler },
      { protoset: await protoset(), deadlineMs: 10_000 },
    );
    expect([outcome, told]).toEqual(["failed", reason]);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  });

  /** Fields that nobody knows, two bytes each. */
  const wide = answers.messages(Buffer.alloc(120_000, Uint8Array.from([0x78, 1])));

  it("passes on a response that is larger than we decode, where nothing is asserted of it", async () => {
    const spec = { protoset: await protoset(), expect: { status: "OK", that: [] } } as const;
    expect(await probed({ [GET_ORDER]: wide }, spec)).toMatchObject({ outcome: "passed" });
  });

  it("cannot judge it where something is asserted of it", async () => {
    const that = ["response.price == 1.0"];
    const spec = { protoset: await protoset(), expect: { status: "OK", that } } as const;
    expect(await probed({ [GET_ORDER]: wide }, spec)).toMatchObject({
      outcome: "unsupported",
      missing: {
        part: "assertions of get-order",
        reason: "the response has more than 50000 fields",
      },
    });
  });
});

describe("over TLS", () => {
  it("is held to what was stated, phase by phase", async () => {
    const ca = await issueCa();
    const leaf = await issue({ issuer: ca, dns: ["orders.shop.svc"] });
    const files = await writeFiles({ ca: ca.cert });
    const credentials = grpc.ServerCredentials.createSsl(null, [
      { private_key: Buffer.from(leaf.key), cert_chain: Buffer.from(leaf.cert) },
    ]);
    const tls = { mode: "tls", ca: files.paths.ca } as const;
    const [server, look] = await grpcServer({ credentials }, { authority: "orders.shop.svc", tls });
    const other = aLook(server.target({ authority: "pay.shop.svc", tls }));
    looks.push(other);

    const passed = await run(look, { connection: "fresh" });
    const failed = await run(other, { connection: "fresh", protoset: await protoset() });
    await files.remove();
    expect([passed.outcome, Object.keys(passed.phaseMs)]).toEqual([
      "passed",
      ["tcp", "tls", "http2", "rpc"],
    ]);
    expect([failed.outcome, failed.phase, failed.reason]).toEqual([
      "failed",
      "tls",
      "hostname_mismatch",
    ]);
  });
});

it("tells nothing of a run that was cut short", async () => {
  const [, look] = await grpcServer({ handlers: { GetOrder: () => {} } });
  expect(await look.run(probe, job(), AbortSignal.timeout(200))).toEqual([]);
});

const entry = (key: string, value: string) => ({ key, value: { kind: "literal", value } }) as const;

const rejected: grpc.handleUnaryCall<unknown, never> = (_call, done) =>
  done({ code: grpc.status.UNAUTHENTICATED, details: "who are you" });

const folders: string[] = [];
async function protoset(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "grpc-doctor-"));
  folders.push(folder);
  const file = join(folder, "orders.binpb");
  const set = create(FileDescriptorSetSchema, { file: [...orderFiles()] });
  await writeFile(file, toBinary(FileDescriptorSetSchema, set));
  return file;
}

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});
