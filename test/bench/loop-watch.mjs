import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";

/** Loaded before the agent: at SIGUSR2 it says how long the event loop was blocked at most, since the last. */
const RESOLUTION_MS = 10;
const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
loop.enable();
process.on("SIGUSR2", () => {
  const longestMs = Math.max(0, loop.max / 1e6 - RESOLUTION_MS);
  process.stdout.write(`${JSON.stringify({ "otel.event.name": "bench.loop", longestMs })}\n`);
  loop.reset();
});
