import { afterEach, expect, it } from "vitest";
import { createKeptConnections } from "../../src/grpc/kept-connections.ts";
import { createOwnCalls } from "../../src/grpc/own-calls.ts";
import type { JobOf } from "../../src/model/job.ts";
import type { Observation } from "../../src/model/observation.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { health } from "../../src/sources/health.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { aResolver } from "../support/targets.ts";
import { aTools } from "../support/tools.ts";

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const watch: JobOf<"health"> = {
  key: "health/watch",
  source: "health",
  label: "health",
  target: "app",
  cadence: { kind: "continuous" },
  deadlineMs: Number.POSITIVE_INFINITY,
  mode: "watch",
  services: ["order.OrderService"],
};

/** A Watch over a kept connection, as the agent runs it, after its first status. */
async function watched(server: GrpcServer) {
  const ownCalls = createOwnCalls();
  const connections = createKeptConnections({
    clock: systemClock,
    random: () => 0.5,
    observe: () => {},
    ownCalls,
    resolver: aResolver(),
  });
  ending.push(() => connections.close());
  const tools = aTools({
    ownCalls,
    keptConnection: (target, signal) => connections.get(target, signal),
  });
  const { signal } = new AbortController();
  const run = { job: watch, target: server.target(), signal, scheduleLagMs: 0 };
  const seen: Observation[] = [];
  const watching = health.observe(run, tools)[Symbol.asyncIterator]();
  for (const _each of ["capability", "status"]) seen.push((await watching.next()).value);
  return { connections, watching };
}

/** `stop` is grpc-js's tryShutdown, and rejects while any stream of ours is open. */
it("a Watch of ours does not hold up the graceful stop of the app", async () => {
  const server = await startGrpcServer();
  const { watching } = await watched(server);
  const [, end] = await Promise.all([server.stop(), watching.next()]);
  expect(end).toEqual({ done: true, value: undefined });
});

it("nor does it come back while the app is going down", async () => {
  const server = await startGrpcServer();
  const { connections, watching } = await watched(server);
  server.health.setStatus("order.OrderService", "NOT_SERVING");
  const last = await watching.next();
  connections.drain("app");
  expect(last.value).toMatchObject({ status: "NOT_SERVING", via: "watch" });
  expect(await watching.next()).toEqual({ done: true, value: undefined });
  await expect(
    connections.get(server.target(), new AbortController().signal),
  ).rejects.toMatchObject({ name: "CallError" });
  await server.stop();
});
