import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createCore } from "../../src/agent/core.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import { createManualClock, type ManualClock } from "../support/clock.ts";
import { someSettings } from "../support/findings.ts";
import { aResolver, aTarget } from "../support/targets.ts";

/**
 * Ports that let nobody in are asked by the X-ray, by whoever keeps a connection, and by no one else: how
 * many connections that makes together, and whether two pods make them at one moment.
 */
const MINUTES = 4;
/** In the first two a fault is looked at, confirmed and named. */
const FIRST_MINUTES = 2;
/** Source: docs/limits.md. */
const MOST_FIRST = 30;
const MOST_A_MINUTE = 8;
/** The X-ray's. */
const LEAST_A_MINUTE = 2;
/** What only a fresh handshake shows: its cadence and 2 s, of a fault that was there at the start. */
const NAMED_WITHIN_MS = 12_000;
/** The X-ray's cadence and 2 s: a reset that met another phase is seen anew by the next look. */
const NAMED_LATER_MS = 32_000;
/** Source: src/model/startup.ts: a port that closes on us may be a proxy whose app is not there yet. */
const PATIENCE_MS = 60_000;

const PORTS: Readonly<Record<string, (socket: Socket) => unknown>> = {
  "hangs-up": (socket) => socket.end(),
  resets: (socket) => socket.resetAndDestroy(),
  "hangs-up-on-words": (socket) => socket.once("data", () => socket.destroy()),
  "http-1": (socket) => socket.once("data", () => socket.end(HTTP_1)),
};
const HTTP_1 = "HTTP/1.1 400 Bad Request\r\n\r\n";
const NAMES = Object.keys(PORTS);
const CLOSED = NAMES.filter((name) => name !== "http-1");

it("asks a port that lets nobody in within one budget", { timeout: 180_000 }, async () => {
  const clock = createManualClock();
  const [one, other] = await Promise.all([aPod(clock, "one"), aPod(clock, "two")]);
  await clock.advance(MINUTES * 60_000);

  const first = one.ports.flatMap(({ at }) => byMinute(at).slice(0, FIRST_MINUTES));
  const then = one.ports.flatMap(({ at }) => byMinute(at).slice(FIRST_MINUTES));
  expect(first.filter((count) => count > MOST_FIRST)).toEqual([]);
  expect(then.filter((count) => count > MOST_A_MINUTE)).toEqual([]);
  expect([...first, ...then].filter((count) => count < LEAST_A_MINUTE)).toEqual([]);
  const atOnce = toldWithin(one.told, 0, NAMED_WITHIN_MS);
  const later = toldWithin(one.told, PATIENCE_MS, NAMED_LATER_MS);
  expect(atOnce).toEqual(["not-grpc@http-1"]);
  expect(later).toEqual(CLOSED.map((name) => `not-grpc@${name}`).toSorted());
  const isLater = (at: number) => at > FIRST_MINUTES * 60_000;
  const [ours, theirs] = [one, other].map(({ ports }) => ports.flatMap(({ at }) => at));
  expect(ours?.filter((at) => isLater(at) && theirs?.includes(at))).toEqual([]);
});

interface Told {
  readonly what: string;
  readonly at: number;
}

function toldWithin(told: readonly Told[], fromMs: number, withinMs: number): readonly string[] {
  const inTime = told.filter(({ at }) => at >= fromMs && at < fromMs + withinMs);
  return inTime.map(({ what }) => what).toSorted();
}

/** An agent, the ports that it watches with when they were connected to, and what it named when. */
async function aPod(clock: ManualClock, seed: string) {
  const startedMs = clock.monotonicMs();
  const sinceMs = () => clock.monotonicMs() - startedMs;
  const ports = await Promise.all(Object.values(PORTS).map((take) => aPort(clock, take, sinceMs)));
  const told: Told[] = [];
  const core = createCore({
    clock,
    random: Math.random,
    settings: someSettings(DETECTORS, {
      targets: ports.map(({ address }, n) => aTarget(address, { name: NAMES[n] ?? "" })),
    }),
    seed,
    resolver: aResolver(),
    ownListeners: [],
    observe: () => undefined,
    hear: () => undefined,
    change: ({ finding: { code, target } }) =>
      void told.push({ what: `${code}@${target}`, at: sinceMs() }),
  });
  core.begin();
  onTestFinished(async () => {
    await core.stop();
    await Promise.all(ports.map(({ close }) => close()));
  });
  return { ports, told };
}

async function aPort(clock: ManualClock, take: (socket: Socket) => unknown, sinceMs: () => number) {
  const at: number[] = [];
  const server = createServer((socket) => {
    at.push(sinceMs());
    socket.on("error", () => undefined); // it is the port that hangs up
    void clock.during(() => new Promise<void>((resolve) => socket.once("close", () => resolve())));
    take(socket);
    socket.resume();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise((resolve) => server.close(resolve));
  return { address: `127.0.0.1:${port}`, at, close };
}

function byMinute(at: readonly number[]): readonly number[] {
  return Array.from(
    { length: MINUTES },
    (_, minute) => at.filter((ms) => Math.floor(ms / 60_000) === minute).length,
  );
}
