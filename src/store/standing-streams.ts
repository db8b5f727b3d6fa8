import type { CallPoll } from "../model/facts/server-calls.ts";
import type { ChannelzObservation } from "../model/observation.ts";
import type { StreamSums } from "./stream-sums.ts";

/** Less than two polls lie apart: a connection that began nothing in between is quiet. */
const QUIET_MS = 8_000;
/** Where cycles read the connections in turn, those of a minute speak for all. */
const SAMPLE_MS = 60_000;

/**
 * The streams on quiet connections: watches and subscriptions that stay open. `undefined` where calls
 * are in flight and no connection was read.
 */
export function standingStreams(
  { bySocket, isComplete }: StreamSums,
  { at, socketCount }: ChannelzObservation,
  inFlight: number,
): CallPoll["standing"] {
  const sample = Object.values(bySocket).filter(
    ({ readAt }) => isComplete || at - readAt <= SAMPLE_MS,
  );
  if (sample.length === 0) return inFlight === 0 ? { streams: 0, connections: 0 } : undefined;
  const quiet = sample.filter(({ open, begunAt }) => open > 0 && at - begunAt >= QUIET_MS);
  const streams = quiet.reduce((sum, { open }) => sum + open, 0);
  const each = isComplete ? 1 : socketCount / sample.length;
  return {
    streams: Math.min(inFlight, Math.round(streams * each)),
    connections: Math.min(inFlight, Math.round(quiet.length * each)),
  };
}
