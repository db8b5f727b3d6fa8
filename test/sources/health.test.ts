import { afterEach, describe, expect, it } from "vitest";
import { HealthListResponseSchema } from "../../src/grpc/gen/grpc/health/v1/health_pb.js";
import type { JobOf } from "../../src/model/job.ts";
import type { Observation } from "../../src/model/observation.ts";
import { health } from "../../src/sources/health.ts";
import { issue, issueCa } from "../support/certificates.ts";
import {
  answers,
  type FaultyServer,
  SERVING,
  startFaultyServer,
} from "../support/faulty-server.ts";
import {
  type GrpcServer,
  type GrpcServerOptions,
  startGrpcServer,
} from "../support/grpc-server.ts";
import { endless } from "../support/hostile/endless.ts";
import { says } from "../support/hostile/vast-channelz.ts";
import { aLook, type Look } from "../support/look.ts";
import { aTarget } from "../support/targets.ts";

const started: { stop(): Promise<void> }[] = [];
const looks: Look[] = [];

afterEach(async () => {
  await Promise.all(looks.splice(0).map((look) => look.close()));
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

const job = (mode: JobOf<"health">["mode"], ...services: readonly string[]): JobOf<"health"> => ({
  key: `health/${mode}`,
  source: "health",
  label: "health",
  target: "app",
  cadence: { kind: "continuous" },
  deadlineMs: 5000,
  mode,
  services,
});

async function grpcServer(options?: GrpcServerOptions): Promise<[GrpcServer, Look]> {
  const server = await startGrpcServer(options);
  const look = aLook(server.target());
  started.push(server);
  looks.push(look);
  return [server, look];
}

async function faultyServer(
  handlers: Parameters<typeof startFaultyServer>[0],
): Promise<[FaultyServer, Look]> {
  const server = await startFaultyServer(handlers);
  const look = aLook(aTarget(server.address, { channelz: { everyMs: 10_000 } }));
  started.push(server);
  looks.push(look);
  return [server, look];
}

const CHECK = "/grpc.health.v1.Health/Check";
const WATCH = "/grpc.health.v1.Health/Watch";
const GET_SERVERS = "/grpc.channelz.v1.Channelz/GetServers";
/** What tells one observation from another. */
const brief = (observations: readonly Observation[]) =>
  observations.map(({ target: _target, at: _at, ...rest }) =>
    "ms" in rest ? { ...rest, ms: expect.any(Number) } : rest,
  );
const status = (service: string, word: string, via: string) => ({
  source: "health",
  kind: "status",
  service,
  status: word,
  via,
});
const reply = (outcome: string) => ({
  source: "connection",
  kind: "reply",
  outcome,
  ms: expect.any(Number),
});
const able = { source: "health", kind: "capability", available: true };

describe("poll", () => {
  it("tells the status of each name, and that the server replies", async () => {
    const [, look] = await grpcServer({ health: { "": "NOT_SERVING", a: "SERVING" } });
    expect(brief(await look.run(health, job("poll", "", "a", "nope")))).toEqual([
      reply("replied"),
      able,
      status("", "NOT_SERVING", "check"),
      reply("replied"),
      status("a", "SERVING", "check"),
      reply("replied"),
      status("nope", "SERVICE_UNKNOWN", "check"),
    ]);
  });

  it("tells an error that is an answer", async () => {
    const [, look] = await faultyServer({
      handlers: { [CHECK]: answers.status(14, "upstream connect error") },
    });
    expect(brief(await look.run(health, job("poll", "a")))).toEqual([
      reply("replied"),
      {
        source: "health",
        kind: "error",
        service: "a",
        code: "UNAVAILABLE",
        text: "upstream connect error",
        via: "check",
      },
    ]);
  });

  it("tells silence after two seconds, and no status", async () => {
    const [, look] = await faultyServer({ handlers: { [CHECK]: () => {} } });
    expect(brief(await look.run(health, job("poll", "")))).toEqual([reply("silent")]);
  });

  it("takes another small call where the check is slow: what health asks may be slow", async () => {
    const slowMs = 1500;
    const [, look] = await faultyServer({
      handlers: {
        [CHECK]: (...call) => void setTimeout(() => answers.messages(SERVING)(...call), slowMs),
        [GET_SERVERS]: answers.messages([]),
      },
    });
    const [first, ...rest] = await look.run(health, job("poll", ""));
    expect(first).toMatchObject({ kind: "reply", outcome: "replied" });
    expect(first).toSatisfy(({ ms }: { readonly ms: number }) => ms < slowMs);
    expect(brief(rest)).toEqual([able, status("", "SERVING", "check")]);
  });

  it("takes another small call where the check is silent", async () => {
    const [, look] = await faultyServer({
      handlers: { [CHECK]: () => {}, [GET_SERVERS]: answers.messages([]) },
    });
    expect(brief(await look.run(health, job("poll", "")))).toEqual([
      reply("replied"),
      {
        source: "health",
        kind: "error",
        service: "",
        code: "DEADLINE_EXCEEDED",
        text: "no answer in 2 s, while another call was answered",
        via: "check",
      },
    ]);
  });

  it("tells nothing of a call that the end of the run cut short", async () => {
    const [, look] = await faultyServer({ handlers: { [CHECK]: () => {} } });
    const run = look.run(health, job("poll", ""), AbortSignal.timeout(100));
    expect(await run).toEqual([]);
  });

  it("asks a server without health once, then channelz whether it replies", async () => {
    const [, look] = await grpcServer({ health: false });
    expect(brief(await look.run(health, job("poll", "", "a")))).toEqual([
      reply("replied"),
      {
        source: "health",
        kind: "capability",
        available: false,
        reason: "UNIMPLEMENTED",
        fix: "Register the health service (grpc.health.v1) with the server.",
      },
      reply("replied"),
    ]);
    expect(brief(await look.run(health, job("poll", "", "a")))).toEqual([reply("replied")]);
    expect(look.tools.ownCalls.read("app")).toEqual({
      started: 3,
      succeeded: 2,
      failed: 0,
      unimplemented: 1,
    });
  });

  it("asks again over another connection", async () => {
    const [server, look] = await faultyServer({ handlers: { [CHECK]: answers.status(16) } });
    await look.run(health, job("poll", ""));
    await look.close();
    expect(brief(await look.run(health, job("poll", "")))).toEqual([
      reply("replied"),
      expect.objectContaining({ reason: "UNAUTHENTICATED", available: false }),
    ]);
    expect(server.calls.map((headers) => headers[":path"])).toEqual([CHECK, CHECK]);
  });

  it("is a capability where the server lets nobody in without a certificate", async () => {
    const ca = await issueCa();
    const { cert, key } = await issue({ issuer: ca });
    const server = await startFaultyServer({ tls: { cert, key, clientCa: ca.cert } });
    const look = aLook(aTarget(server.address));
    started.push(server);
    looks.push(look);
    expect(await look.run(health, job("poll", ""))).toEqual([
      {
        source: "health",
        kind: "capability",
        target: "app",
        at: expect.any(Number),
        available: false,
        reason: "client_certificate_required",
        fix: expect.stringContaining("`tls.cert`"),
      },
    ]);
  });

  it("says nothing where there is no connection", async () => {
    const [server, look] = await grpcServer();
    await server.stop();
    expect(await look.run(health, job("poll", ""))).toEqual([]);
  });
});

describe("watch", () => {
  it("tells each transition when it happens", async () => {
    const [server, look] = await grpcServer({ health: { a: "SERVING" } });
    const over = new AbortController();
    const watching = look.stream(health, job("watch", "a"), over.signal);
    const heard = [await watching.next(), await watching.next()];
    server.health.setStatus("a", "NOT_SERVING");
    heard.push(await watching.next());
    over.abort();
    expect(await watching.next()).toEqual({ done: true, value: undefined });
    expect(brief(heard.map(({ value }) => value))).toEqual([
      { ...able, part: "Watch" },
      { ...status("a", "SERVING", "watch"), isFirst: true },
      status("a", "NOT_SERVING", "watch"),
    ]);
  });

  it("takes a name that is not known as a status, and stays", async () => {
    const [server, look] = await grpcServer({ health: {} });
    const over = new AbortController();
    const watching = look.stream(health, job("watch", "late"), over.signal);
    await watching.next();
    const unknown = await watching.next();
    server.health.setStatus("late", "SERVING");
    const known = await watching.next();
    over.abort();
    await watching.next();
    expect(brief([unknown.value, known.value])).toEqual([
      { ...status("late", "SERVICE_UNKNOWN", "watch"), isFirst: true },
      status("late", "SERVING", "watch"),
    ]);
  });

  it("takes tonic's end with NOT_FOUND as the same", async () => {
    const [, look] = await faultyServer({
      handlers: { [WATCH]: answers.status(5, "not registered") },
    });
    expect(brief(await look.run(health, job("watch", "a")))).toEqual([
      status("a", "SERVICE_UNKNOWN", "watch"),
    ]);
  });

  it("waits where Watch is unimplemented, until the connection ends", async () => {
    const [server, look] = await faultyServer({ handlers: { [WATCH]: answers.status(12) } });
    const watching = look.stream(health, job("watch", "a"));
    const first = await watching.next();
    const end = watching.next();
    await look.close();
    expect(await end).toEqual({ done: true, value: undefined });
    expect(brief([first.value])).toEqual([
      {
        source: "health",
        kind: "capability",
        part: "Watch",
        available: false,
        reason: "UNIMPLEMENTED",
        fix: "Use a health service that implements Watch; until then each status is polled.",
      },
    ]);
    expect(server.calls).toHaveLength(1);
  });
});

describe("discover", () => {
  it("tells the names that health lists and the methods that reflection describes", async () => {
    const [, look] = await grpcServer({ health: { b: "SERVING", a: "SERVING" } });
    expect(brief(await look.run(health, job("discover")))).toEqual([
      { ...able, part: "List" },
      { ...able, part: "reflection" },
      {
        source: "health",
        kind: "services",
        health: ["a", "b"],
        methods: [
          { name: "order.OrderService/GetOrder", kind: "unary" },
          { name: "order.OrderService/AddOrder", kind: "unary" },
          { name: "order.OrderService/SearchOrders", kind: "server-streaming" },
          { name: "order.OrderService/UpdateOrders", kind: "client-streaming" },
          { name: "order.OrderService/ProcessOrders", kind: "bidi" },
        ],
      },
    ]);
  });

  it("tells what is missing, and who wrote the server", async () => {
    const [, look] = await grpcServer({ health: false, reflection: false });
    expect(brief(await look.run(health, job("discover")))).toEqual([
      expect.objectContaining({ part: "List", available: false, reason: "UNIMPLEMENTED" }),
      { source: "connection", kind: "implementation", implementation: "grpc-js" },
      expect.objectContaining({ part: "reflection", available: false, reason: "UNIMPLEMENTED" }),
    ]);
  });
});

describe("a health service that misbehaves", () => {
  const NOT_SERVING = [8, 2];

  it.each([
    ["repeats itself", endless(SERVING)],
    ["turns without end", endless(SERVING, NOT_SERVING)],
  ])("and %s is heard a hundred times, then left and polled", async (_sentence, handler) => {
    const [server, look] = await faultyServer({ handlers: { [WATCH]: handler } });
    const end = new AbortController();
    const watching = look.run(health, job("watch", "a"), end.signal);
    const connection = await look.connection();
    await expect.poll(() => server.calls.length).toBe(1);
    await expect.poll(() => connection.openCalls).toBe(0);
    end.abort();
    const told = brief(await watching);

    expect(told.filter(({ kind }) => kind === "status")).toHaveLength(100);
    expect(told.at(-1)).toEqual({
      ...able,
      part: "Watch",
      available: false,
      reason: "flooded",
      fix: expect.stringContaining("only when it has changed"),
    });
  });

  it.each([
    ["no message of its kind", answers.messages([255])],
    ["a web page", answers.http(200, "text/html", "<html>")],
    ["compressed", answers.body(Buffer.from([1, 0, 0, 0, 1, 0]))],
    ["a message of four gigabytes, it says", answers.body(Buffer.from([0, 255, 255, 255, 255]))],
  ])("and answers %s replies, but cannot be seen", async (_sentence, handler) => {
    const [, look] = await faultyServer({ fallback: handler });
    const unseen = {
      ...able,
      available: false,
      reason: expect.any(String),
      fix: expect.any(String),
    };
    const end = new AbortController();
    const watching = look.run(health, job("watch", "a"), end.signal);
    const polled = brief(await look.run(health, job("poll", "a")));
    const discovered = brief(await look.run(health, job("discover")));
    end.abort();

    expect(polled).toEqual([reply("replied"), unseen]);
    expect(discovered).toEqual([
      { ...unseen, part: "List" },
      { ...unseen, part: "reflection" },
    ]);
    expect(brief(await watching)).toEqual([{ ...unseen, part: "Watch" }]);
  });

  it("names no service that is none", async () => {
    const names = ["fine", "x".repeat(65_536), "constructor", "a\u0007b"];
    const statuses = Object.fromEntries(names.map((name) => [name, { status: 1 }]));
    const [, look] = await faultyServer({
      handlers: { "/grpc.health.v1.Health/List": says(HealthListResponseSchema, { statuses }) },
    });
    const told = await look.run(health, job("discover"));

    expect(told).toContainEqual(expect.objectContaining({ kind: "services", health: ["fine"] }));
  });
});
