import { expect, onTestFinished, test, vi } from "vitest";
import type { AgentEvent } from "../../src/model/event.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { createOtlpSink } from "../../src/sinks/otlp/sink.ts";
import { FLOODS } from "../support/hostile/floods.ts";
import { startRawServer } from "../support/hostile/raw-server.ts";
import { aReport, aRun, aTarget, someSettings } from "./prometheus-values.ts";

const MIB = 2 ** 20;
/** What the kernel's buffers hold of both sides, for each of the few connections: more, and we have read. */
const MOST_TAKEN = 24 * MIB;

/** Sends a run to a collector that does this; what the sink tells of itself, until it has ended. */
async function sendTo(kind: keyof typeof FLOODS) {
  const server = await startRawServer(FLOODS[kind]);
  onTestFinished(() => server.stop());
  const events: AgentEvent[] = [];
  const tracing = { endpoint: `http://${server.address}`, ratio: 1 };
  const sink = createOtlpSink({
    settings: () => someSettings({ targets: [aTarget()], tracing }),
    report: () => aReport(),
    clock: systemClock,
    random: () => 0.5,
    event: (event) => events.push(event),
    environment: {},
    version: "1.0.0",
  });
  sink.observe?.(aRun());
  const closed = sink.close?.(new AbortController().signal);
  const failure = () => events.find(({ kind: told }) => told === "sink-failed");
  await vi.waitUntil(failure, { interval: 5, timeout: 20_000 });
  const taken = server.taken;
  await server.stop();
  await closed;
  return { failure: failure(), taken };
}

test.each([
  "PING",
  "SETTINGS",
  "WINDOW_UPDATE",
  "frames of no known type",
  "empty CONTINUATION",
  "fields in CONTINUATION",
  "RST_STREAM",
  "DATA byte by byte",
] as const)("a collector that floods with %s is hung up on", async (kind) => {
  const { failure, taken } = await sendTo(kind);
  expect(failure).toMatchObject({ sink: "otlp", errorText: "http2: flooded" });
  expect(taken).toBeLessThan(MOST_TAKEN);
});
