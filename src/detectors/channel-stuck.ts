import { lastWindow, wholeSpan } from "../model/counters.ts";
import { durationText } from "../model/duration-text.ts";
import type { Outbound } from "../model/facts/outbound.ts";
import { pollsByUpstream, type UpstreamPoll } from "../model/facts/upstream-calls.ts";
import type { Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { boundSubjects } from "../model/subjects.ts";
import { addressFamilyMismatch } from "./address-family-mismatch.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { connectionRefused } from "./connection-refused.ts";
import { defineDetector } from "./detector.ts";
import { dnsStale } from "./dns-stale.ts";
import { halfOpenConnection } from "./half-open-connection.ts";
import { isOnTheWayTo, WIRE } from "./root-causes.ts";

type Limits = Readonly<Record<"window" | "stuck" | "connecting", number>>;

/** A state in which no channel to the upstream carries calls, and for how long it has been seen. */
interface Stuck {
  readonly cause: "transient-failure" | "connecting";
  readonly from: UpstreamPoll;
  readonly to: UpstreamPoll;
  readonly ms: number;
}

/**
 * No channel of the app to one upstream gets a connection.
 *
 * Calls over it fail at once with UNAVAILABLE, or wait for their deadline. What is behind it, the text of
 * the last attempt says, and better the agent's own look at that upstream where it is a target: then that
 * finding is the root. Channels to one target are judged together: while one of them is ready, or any
 * call passes, nothing is stuck.
 *
 * Source: gRPC connectivity semantics (grpc/grpc doc/connectivity-semantics-and-api.md); gRFC A14.
 */
export const channelStuck = defineDetector({
  code: "channel-stuck",
  title: "The app's channels to an upstream get no connection",
  layer: "handler",
  severity: "critical",
  remedy:
    "Repair what the agent's own X-ray of the address names; configure the upstream as a target to have one. grpc-js has no connect timer: a mute peer holds CONNECTING for ever; Go, Java and C-core give up after about 20 s.",
  lacks: "a minute of the app's own channels by channelz",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {
    window: {
      unit: "ms",
      default: 20_000,
      min: 10_000,
      max: 300_000,
      says: "How long a channel that was ready may fail while calls are made over it",
    },
    stuck: {
      unit: "ms",
      default: 60_000,
      min: 20_000,
      max: 600_000,
      says: "How long any channel may fail",
    },
    connecting: {
      unit: "ms",
      default: 30_000,
      min: 20_000,
      max: 600_000,
      says: "How long a channel may go on connecting",
    },
  },
  needs: ["channels"],
  uses: ["outbound"],
  causes: [connectionRefused, connectBlackholed],
  dependencyCauses: [...WIRE, addressFamilyMismatch, dnsStale, halfOpenConnection],
  explainedBy: ({ subject }, _evidence, { upstream }) => isOnTheWayTo(subject, upstream),

  detect({ channels, outbound }, limits) {
    const all = pollsByUpstream(channels);
    if (all.length > 0 && all.every(([, polls]) => polls.length < 2)) return undefined;
    const symptoms = all.flatMap(([upstream, polls]) => {
      const found = stuckIn(polls, limits);
      return found === undefined ? [] : [symptomOf(upstream, found, outbound)];
    });
    const isUnsure = all.some(([, polls]) => isSeenTooBriefly(polls, limits));
    return symptoms.length === 0 && isUnsure ? undefined : boundSubjects(symptoms);
  },
});

/** It got nowhere in all that was seen of it, and that is less than it takes: nobody knows for how long. */
function isSeenTooBriefly(polls: readonly UpstreamPoll[], limits: Limits): boolean {
  const span = wholeSpan(polls);
  if (span === undefined || !polls.every(isTrying) || passed(span) > 0) return false;
  return span.ms < (polls.some(isFailing) ? limits.stuck : limits.connecting);
}

function stuckIn(polls: readonly UpstreamPoll[], limits: Limits): Stuck | undefined {
  const carryingNothing = (ms: number) => {
    const span = lastWindow(polls, ms);
    return span === undefined || span.polls.some(isReady) || passed(span) > 0 ? undefined : span;
  };
  const long = carryingNothing(limits.stuck);
  if (long !== undefined && long.polls.some(isFailing) && long.polls.every(isTrying))
    return { ...long, cause: "transient-failure" };

  const brief = carryingNothing(limits.window);
  if (brief !== undefined && polls.some(isReady) && isFailing(brief.to) && started(brief) > 0)
    return { ...brief, cause: "transient-failure" };

  const waiting = carryingNothing(limits.connecting);
  const isOnlyConnecting = (poll: UpstreamPoll) => isConnecting(poll) && !isFailing(poll);
  if (waiting?.polls.every(isOnlyConnecting) === true) return { ...waiting, cause: "connecting" };
  return undefined;
}

const isReady = ({ states }: UpstreamPoll) => (states.READY ?? 0) > 0;
const isFailing = ({ states }: UpstreamPoll) => (states.TRANSIENT_FAILURE ?? 0) > 0;
const isTrying = (poll: UpstreamPoll) => isFailing(poll) || isConnecting(poll);
const isConnecting = ({ states }: UpstreamPoll) => (states.CONNECTING ?? 0) > 0;

type Ends = Pick<Stuck, "from" | "to">;
const passed = ({ from, to }: Ends) => to.callsSucceeded - from.callsSucceeded;
const started = ({ from, to }: Ends) => to.callsStarted - from.callsStarted;
const failed = ({ from, to }: Ends) => to.callsFailed - from.callsFailed;

function symptomOf(upstream: string, found: Stuck, outbound: Outbound | undefined): Symptom {
  const { to, ms } = found;
  const callsWaiting = to.callsStarted - to.callsSucceeded - to.callsFailed;
  const isNeeded = started(found) > 0 || callsWaiting > 0;
  const rows = (outbound?.reads.at(-1)?.remotes ?? []).filter(
    ({ address }) => to.remotes[address] !== undefined,
  );
  const isSilent = rows.some(({ synSent }) => synSent > 0);
  const isMute = rows.some(({ established }) => established > 0);
  const cause = found.cause === "connecting" ? connectingCause(isSilent, isMute) : found.cause;
  return {
    subject: { upstream },
    severity: severityOf(isNeeded, isSilent),
    witnesses: isSilent ? ["channelz-client", "kernel"] : ["channelz-client"],
    summary: `No channel to ${upstream} has had a connection for ${durationText(ms)}: ${wordsOf(found)}`,
    evidence: present({
      state: found.cause === "connecting" ? "CONNECTING" : "TRANSIENT_FAILURE",
      cause,
      stateSeconds: ms / 1000,
      callsWaiting,
      calls: started(found),
      failed: failed(found),
      channels: to.channels,
      subchannels: to.subchannels,
      lastError: to.lastError,
    }),
    beganAt: found.from.at,
  };
}

/** A channel that nobody calls over may be a spare one. */
function severityOf(isNeeded: boolean, isConfirmed: boolean): "info" | "warning" | "critical" {
  if (!isNeeded) return "info";
  return isConfirmed ? "critical" : "warning";
}

/** What the kernel has of it: a SYN without answer, or a connection that says nothing. */
function connectingCause(isSilent: boolean, isMute: boolean): string | undefined {
  if (isSilent) return "syn-sent";
  return isMute ? "mute" : undefined;
}

function wordsOf(found: Stuck): string {
  const calls = started(found);
  if (calls === 0) return "no call was made over it meanwhile";
  return `of ${calls} calls none has passed`;
}
