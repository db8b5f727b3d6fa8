import { type Amplification, amplificationOf } from "../model/amplification.ts";
import { durationText } from "../model/duration-text.ts";
import { pollsByUpstream } from "../model/facts/upstream-calls.ts";
import type { Symptom } from "../model/finding.ts";
import { boundSubjects } from "../model/subjects.ts";
import { channelStuck } from "./channel-stuck.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { connectionRefused } from "./connection-refused.ts";
import { deadlineStorm } from "./deadline-storm.ts";
import { defineDetector } from "./detector.ts";
import { isOnTheWayTo, WIRE } from "./root-causes.ts";
import { streamExhaustion } from "./stream-exhaustion.ts";

/**
 * The app's calls fail and are tried again and again, and the attempts are what keeps the upstream down.
 *
 * A channel counts calls, its sub-channels count attempts. Hedging has a steady ratio too, but nearly all
 * of its calls succeed; a transparent retry after a drain is one attempt more, once.
 *
 * Source: gRFC A6 (client retries); gRFC A14 (channelz: calls of channels and of sub-channels).
 */
export const retryStorm = defineDetector({
  code: "retry-storm",
  title: "Retries multiply the app's failing calls",
  layer: "handler",
  severity: "critical",
  remedy:
    "Add `retryThrottling` to the service config, lower `maxAttempts`, and do not stack application retries on gRPC's. Java: `disableRetry()`; Go: `WithDisableRetry()`; C-core, grpc-js: `grpc.enable_retries`.",
  lacks: "polls of the app's channels over which at least 20 attempts were made",
  holdMs: 20_000,
  clearAfterMs: 180_000,
  limits: {
    window: {
      unit: "ms",
      default: 60_000,
      min: 20_000,
      max: 200_000,
      says: "How long one of the three windows is, of which two must show it",
    },
    amplification: {
      unit: "ratio",
      default: 1.5,
      min: 1,
      max: 100,
      says: "Attempts for each call that are a warning",
    },
    critical: {
      unit: "ratio",
      default: 2.5,
      min: 1,
      max: 100,
      says: "Attempts for each call that are critical where a second source finds the upstream sick",
    },
    minAttempts: {
      unit: "count",
      default: 50,
      min: 1,
      max: 1_000_000,
      says: "Attempts in a window below which their ratio says nothing",
    },
  },
  needs: ["channels"],
  uses: ["outbound"],
  causes: [connectionRefused, connectBlackholed, channelStuck],
  dependencyCauses: [...WIRE, streamExhaustion, deadlineStorm],
  // The app's own port may refuse as well: that makes no attempt towards an upstream.
  explainedBy: ({ subject }, _evidence, { upstream }) => isOnTheWayTo(subject, upstream),

  detect({ channels, outbound }, limits) {
    const judged = pollsByUpstream(channels).map(([upstream, polls]) => {
      const isShared = polls.some((poll) => poll.isShared === true);
      return { upstream, polls, found: isShared ? "none" : amplificationOf(polls, limits) };
    });
    if (judged.length > 0 && judged.every(({ found }) => found === undefined)) return undefined;
    const high = judged.flatMap(({ upstream, polls, found }) =>
      found === undefined || found === "none" ? [] : [{ upstream, polls, found }],
    );
    const symptoms = high.map(({ upstream, polls, found }): Symptom => {
      const remotes = Object.keys(polls.at(-1)?.remotes ?? {});
      const isSick = (outbound?.reads.at(-1)?.remotes ?? []).some(
        ({ address, synSent, retransmitting }) =>
          remotes.includes(address) && synSent + retransmitting > 0,
      );
      return {
        subject: { upstream },
        severity: isSick && found.ratio >= limits.critical ? "critical" : "warning",
        witnesses: isSick ? ["channelz-client", "kernel"] : ["channelz-client"],
        summary: summaryOf(upstream, found),
        evidence: {
          attempts: found.attempts,
          calls: found.calls,
          amplification: found.ratio,
          failed: found.failed,
          windowSeconds: found.ms / 1000,
        },
      };
    });
    return boundSubjects(symptoms.toSorted(worstFirst));
  },
});

function summaryOf(
  upstream: string,
  { attempts, calls, failed, ms, ratio }: Amplification,
): string {
  return `${calls} calls to ${upstream} became ${attempts} attempts in ${durationText(ms)} (${ratio.toFixed(1)} each), and ${failed} failed all the same`;
}

function worstFirst(a: Symptom, b: Symptom): number {
  return Number(b.evidence["attempts"]) - Number(a.evidence["attempts"]);
}
