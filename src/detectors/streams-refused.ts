import { durationText } from "../model/duration-text.ts";
import type { ProbeHistory, ProbeRun } from "../model/facts/probes.ts";
import { isConfirmedXray, type Xray } from "../model/facts/xray.ts";
import { tellingRuns } from "../model/failed-runs.ts";
import type { Instant } from "../model/time.ts";
import { defineDetector } from "./detector.ts";
import { WIRE } from "./root-causes.ts";
import { streamExhaustion } from "./stream-exhaustion.ts";

/** What grpc-js says of RST_STREAM REFUSED_STREAM, once its own second attempt was refused too. */
const REFUSED_TEXT = /^Stream refused by server/;
const REFUSED_STREAM = 7;
/** Of one probe: what is older says nothing of now. */
const NEWEST_RUNS = 10;

/**
 * Calls of ours end with REFUSED_STREAM: the server, or a hop before it, sheds them before a handler
 * saw anything.
 *
 * A refusal is safe to retry, and every client does so once without a word; what a probe tells was
 * refused twice in a row. A race with a drain or with the first SETTINGS is over in a moment, so refusals
 * must lie apart. A GOAWAY to us is no evidence: the guards against resets count those of one
 * connection, and on ours they are our own.
 *
 * Source: RFC 9113 section 8.7 (REFUSED_STREAM); gRFC A6 (transparent retries).
 */
export const streamsRefused = defineDetector({
  code: "streams-refused",
  title: "Calls are refused before a handler sees them",
  layer: "http2",
  severity: "warning",
  remedy:
    "Find what sheds the calls: an overload guard, a limit of streams, or a guard against bursts of cancelled calls, in the server or in a proxy before it; take the load away, or raise the limit.",
  holdMs: 0,
  clearAfterMs: 120_000,
  limits: {
    refused: {
      unit: "count",
      default: 3,
      min: 2,
      max: 10,
      says: "Refused calls among the last ten of a probe, or X-rays in a row, the newest among them",
    },
    spread: {
      unit: "ms",
      default: 10_000,
      min: 1_000,
      max: 600_000,
      says: "How far apart the first and the last of them must lie",
    },
  },
  needs: [],
  uses: ["probes", "xray"],
  needsAny: ["probes", "xray"],
  causes: [...WIRE, streamExhaustion],

  detect({ probes, xray }, { refused, spread }) {
    const found = [
      ...Object.values(probes?.probes ?? {}).map(refusedRuns),
      ...(xray === undefined ? [] : [refusedXrays(xray)]),
    ].filter(({ times }) => times > 1);
    const told = found.filter(({ times, from, to }) => times >= refused && to - from >= spread);
    const [first, ...others] = told.length > 0 ? told : found;
    if (first === undefined) return [];
    const all = [first, ...others];
    const times = sumOf(all, "times");
    const calls = sumOf(all, "calls");
    const beganAt = Math.min(...all.map(({ from }) => from));
    const lastedMs = Math.max(...all.map(({ to }) => to)) - beganAt;
    return [
      {
        subject: { side: "server" },
        witnesses: others.some(({ witness }) => witness !== first.witness)
          ? ["probe", "preflight"]
          : [first.witness],
        isDeterministic: true,
        ...(told.length === 0 && { isSuspicion: true }),
        summary: `${times} of ${calls} calls were refused with REFUSED_STREAM within ${durationText(lastedMs)}`,
        evidence: { refused: times, calls },
        beganAt,
      },
    ];
  },
});

/** Refusals of one way to ask, up to now. */
interface Refusals {
  readonly witness: "probe" | "preflight";
  readonly times: number;
  readonly calls: number;
  readonly from: Instant;
  readonly to: Instant;
}

const NONE: Refusals = { witness: "probe", times: 0, calls: 0, from: 0, to: 0 };

function refusedRuns(history: ProbeHistory): Refusals {
  const runs = tellingRuns(history).slice(-NEWEST_RUNS);
  const refusals = runs.filter(isRefused);
  const [first, last] = [refusals[0], refusals.at(-1)];
  if (first === undefined || last === undefined || last !== runs.at(-1)) return NONE;
  const times = refusals.length;
  return { witness: "probe", times, calls: runs.length, from: first.at, to: last.at };
}

function isRefused({ outcome, reason, statusText = "" }: ProbeRun): boolean {
  return outcome === "failed" && (reason === "stream_refused" || REFUSED_TEXT.test(statusText));
}

function refusedXrays(xray: Xray): Refusals {
  const { latest, same } = xray;
  if (latest.rpc?.resetCode !== REFUSED_STREAM || !isConfirmedXray(xray)) return NONE;
  const { count, since, lastAt } = same;
  return { witness: "preflight", times: count, calls: count, from: since, to: lastAt };
}

function sumOf(found: readonly Refusals[], key: "times" | "calls"): number {
  return found.reduce((sum, refusals) => sum + refusals[key], 0);
}
