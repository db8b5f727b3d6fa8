import type { ServerTotals } from "../../model/channelz.ts";
import type { CallPoll, ServerCalls } from "../../model/facts/server-calls.ts";
import type { ChannelzObservation } from "../../model/observation.ts";
import { CALL_COUNTERS, type CallCounters } from "../call-counters.ts";
import { definedOnly } from "../defined-only.ts";
import { defineFold } from "../fold.ts";
import { pushed } from "../ring.ts";
import { type Calls, minus, ownCallsAsCounted, running, serverCalls } from "../self-exclusion.ts";
import { standingStreams } from "../standing-streams.ts";
import { addStreams, readsAllSockets, type StreamSums } from "../stream-sums.ts";
import { channelzAgeMs } from "./channelz-age.ts";

const MOST_POLLS = 70;
const KEPT_MS = 600_000;

interface State {
  readonly value: ServerCalls;
  /** The calls of others when the epoch began for us: what was before is not judged. */
  readonly base: Calls;
  readonly streams: StreamSums;
}

/**
 * The server's calls without ours. Counters begin at zero with the first poll of an epoch, and stay
 * monotonic although the ledger of our own calls is read a moment before or after the server's.
 */
export const serverCallsFold = defineFold({
  fact: "serverCalls",
  of: ["app", "upstream"],
  source: "channelz",
  reads: ["channelz/cycle"],
  bound: "70 polls of the last 10 min; counters of 1000 sockets",
  maxAgeMs: channelzAgeMs,
  inNewEpoch: "goes",
  tell: (state: State) => state.value,

  fold(previous: State | undefined, cycle) {
    const { server, implementation } = cycle;
    if (server === undefined) return undefined;
    // The counters mean something else now: what came before cannot be compared.
    const isSame = previous?.value.implementation === implementation;
    return polled(isSame ? previous : undefined, cycle, server);
  },
});

function polled(
  before: State | undefined,
  cycle: ChannelzObservation,
  server: ServerTotals,
): State {
  const { at, implementation } = cycle;
  const counters = CALL_COUNTERS[implementation];
  const own = ownCallsAsCounted(cycle.ownCalls, counters);
  const others = minus(serverCalls(server), own);
  const streams = addStreams(before?.streams, cycle);
  const base = before?.base ?? others;
  const last = before?.value.polls.at(-1);
  const calls = atLeast(minus(others, base), last);
  const poll: CallPoll = {
    at,
    ...calls,
    cancelled: Math.max(last?.cancelled ?? 0, cancelledOf(calls, streams, counters)),
    ...openCalls(cycle, running(serverCalls(server)) - running(own), { last, streams, counters }),
    ...definedOnly({ streams: toldStreams(streams, counters) }),
    answered: answeredOf(streams, counters),
    ended: streams.ended,
    spoken: streams.spoken,
    ...(streams.answeredGone > 0 ? { left: streams.answeredGone } : {}),
  };
  const recent = (before?.value.polls ?? []).filter((kept) => at - kept.at <= KEPT_MS);
  const polls = pushed(recent, poll, MOST_POLLS);
  return { base, streams, value: { implementation, ...meaningOf(counters), polls } };
}

/** What the counters tell of how calls end. */
function meaningOf({
  cancelled,
  timesDeadlines,
  hidesDeadlines,
}: CallCounters): Omit<ServerCalls, "implementation" | "polls"> {
  return {
    // Where cancelled calls are counted as streams only, none of them is among those that failed.
    ...(cancelled === "streams-beyond-calls" ? { failsByErrorOnly: true } : {}),
    ...(timesDeadlines ? { timesDeadlines } : {}),
    ...(hidesDeadlines ? { hidesDeadlines } : {}),
    cancelledAs: cancelled,
  };
}

interface Counting {
  readonly last: CallPoll | undefined;
  readonly streams: StreamSums;
  readonly counters: CallCounters;
}

/**
 * What is in flight, and what of it stands open. The first poll of an epoch falls among the questions
 * that find out what the server offers: those that it will not know run in our ledger and not in its
 * counters, and hide as many calls of others, whose open streams are there all the same.
 */
function openCalls(
  cycle: ChannelzObservation,
  counted: number,
  { last, streams, counters }: Counting,
): Pick<CallPoll, "inFlight" | "isEstimated" | "standing"> {
  const open =
    counters.inFlight === "sockets"
      ? inFlightOfSockets(cycle, last)
      : { inFlight: Math.max(0, counted, last ? 0 : openOn(cycle)), isEstimated: false };
  return { ...open, ...definedOnly({ standing: standingStreams(streams, cycle, open.inFlight) }) };
}

function toldStreams(
  { started, failed }: StreamSums,
  { failsStreamsByReset }: CallCounters,
): CallPoll["streams"] {
  return failsStreamsByReset ? { started, reset: failed } : undefined;
}

function atLeast(calls: Calls, last: CallPoll | undefined): Calls {
  return {
    started: Math.max(calls.started, last?.started ?? 0),
    succeeded: Math.max(calls.succeeded, last?.succeeded ?? 0),
    failed: Math.max(calls.failed, last?.failed ?? 0),
  };
}

/** A stream that ends with its connection fails as a call, and is no failed stream. */
function answeredOf({ answered, answeredGone }: StreamSums, { cancelled }: CallCounters): number {
  return cancelled === "failed-calls" ? answered + answeredGone : answered;
}

function cancelledOf(calls: Calls, streams: StreamSums, { cancelled }: CallCounters): number {
  switch (cancelled) {
    case "failed-calls":
      return calls.failed;
    case "failed-streams":
      return streams.failed;
    case "streams-beyond-calls": {
      // Streams that were no calls (an unknown method). Never below zero, though streams that this
      // cycle did not read lag behind the calls.
      const noCalls = Math.max(0, streams.started - calls.started);
      return Math.max(0, streams.failed - calls.failed - noCalls);
    }
  }
}

/** The sum of the open streams; where not all were read, the mean of those that were, times all. */
function inFlightOfSockets(
  cycle: ChannelzObservation,
  last: CallPoll | undefined,
): Pick<CallPoll, "inFlight" | "isEstimated"> {
  const { sockets, socketCount } = cycle;
  const open = openOn(cycle);
  if (readsAllSockets(cycle)) return { inFlight: open, isEstimated: false };
  if (sockets.length === 0) return { inFlight: last?.inFlight ?? 0, isEstimated: true };
  return { inFlight: Math.round((open / sockets.length) * socketCount), isEstimated: true };
}

function openOn({ sockets }: ChannelzObservation): number {
  return sockets.reduce((sum, socket) => sum + socket.openStreams, 0);
}
