import type { Expectation } from "../model/facts/expectation.ts";
import type { Lookup, Resolution } from "../model/facts/resolution.ts";
import type { Severity, Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { mayComeYet } from "../model/startup.ts";
import { boundList } from "../model/subjects.ts";
import type { Instant } from "../model/time.ts";
import { defineDetector } from "./detector.ts";

/** p95 of fewer than 20 values is their greatest, so two slow lookups that lie apart decide. */
const SLOW_LOOKUPS = { atLeast: 5, newest: 10 };

/**
 * The target's name does not resolve with the pod's own resolver, search list and ndots.
 *
 * A gRPC client does not always say so: Go answers NXDOMAIN with "produced zero addresses", since its
 * resolver drops the lookup's error. A client that still holds connections lives on without names, so
 * the fault shows only when it must reconnect: it is told before, as a warning.
 *
 * Source: RFC 1035 section 4.1.1 (RCODE), grpc-go internal/resolver/dns (handleDNSError).
 */
export const dnsFailing = defineDetector({
  code: "dns-failing",
  title: "The target's name does not resolve",
  layer: "dns",
  severity: "critical",
  remedy:
    "Correct the name or its namespace suffix, or open UDP and TCP 53 to the cluster's DNS. Go reports NXDOMAIN as 'produced zero addresses'; the name is still the fault.",
  needs: ["resolution", "expectation"],
  uses: ["peers", "upstreamCalls"],
  lacks: "timing of the agent's own that can be trusted, for how fast the name resolves",
  holdMs: 0,
  clearAfterMs: 60_000,
  whileWaiting: true,
  limits: {
    failures: { unit: "count", default: 3, min: 2, max: 30, says: "lookups in a row that fail" },
    spread: {
      unit: "ms",
      default: 10_000,
      min: 1000,
      max: 600_000,
      says: "time between the first and the last of them",
    },
    timeout: {
      unit: "ms",
      default: 3000,
      min: 100,
      max: 3000,
      says: "a lookup that takes longer counts as unanswered; the agent itself waits 3 s",
    },
    slow: {
      unit: "ms",
      default: 1000,
      min: 10,
      max: 3000,
      says: "95 of 100 lookups should be faster",
    },
    window: {
      unit: "ms",
      default: 60_000,
      min: 10_000,
      max: 600_000,
      says: "how far apart slow lookups must lie",
    },
  },

  detect({ stamp, now, resolution, expectation, peers, upstreamCalls, timingTrusted }, limits) {
    const appError = upstreamCalls?.polls.at(-1)?.lastError;
    const said = appError === undefined ? {} : { appError };
    const wasAnswered = (address: string) => resolution.seen[address] !== undefined;
    const livesOn =
      peers?.peers.some((peer) => peer.connections > 0 && wasAnswered(peer.address)) === true;

    const failing = failingSymptom(resolution, limits);
    if (failing !== undefined) {
      const { answers, answeredAt } = resolution;
      const severity = livesOn ? "warning" : severityOf({ resolution, expectation, now });
      const answered =
        answeredAt === undefined
          ? {}
          : { lastAnswer: boundList(answers), lastAnswerAt: stamp(answeredAt) };
      return [{ ...failing, severity, evidence: { ...failing.evidence, ...answered, ...said } }];
    }
    if (!timingTrusted) return undefined;
    return slowSymptoms(resolution, limits);
  },
});

/** Of a name without an answer; one that never had any may come yet. */
function severityOf({
  resolution: { answeredAt, failing },
  expectation,
  now,
}: {
  readonly resolution: Resolution;
  readonly expectation: Expectation;
  readonly now: Instant;
}): Severity {
  if (answeredAt !== undefined || failing === undefined) return "critical";
  const waitedMs = now - failing.since;
  return mayComeYet({ waitedMs, startupMs: expectation.startupMs }) ? "info" : "critical";
}

const CAUSES = {
  nxdomain: "does not exist (NXDOMAIN)",
  "no-data": "has neither an IPv4 nor an IPv6 address",
  servfail: "meets a failing DNS server (SERVFAIL)",
  refused: "is refused by the DNS server (REFUSED)",
  timeout: "gets no answer from DNS",
} as const;

function failingSymptom(
  resolution: Resolution,
  limits: { readonly failures: number; readonly spread: number; readonly timeout: number },
): Symptom | undefined {
  const { name } = resolution;
  const lookups = resolution.lookups.filter((lookup) => !isMissed(lookup));
  // Where only one type of address gets no answer, it is slow: the other one's stands. What came late
  // while we were late ourselves did come.
  const hasFailed = ({ outcome, durationMs, unanswered, isSuspect }: Lookup) =>
    outcome === "failed" ||
    (durationMs > limits.timeout && unanswered === undefined && isSuspect !== true);
  const run = lookups.slice(lookups.findLastIndex((lookup) => !hasFailed(lookup)) + 1);
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return undefined;

  // The ring holds the newest lookups only; the run may be longer.
  const attempts = Math.max(run.length, resolution.failing?.count ?? run.length);
  const since = Math.min(first.at, resolution.failing?.since ?? first.at);
  if (attempts < limits.failures || last.at - since < limits.spread) return undefined;

  const cause = last.cause ?? "timeout";
  const spanSeconds = (last.at - since) / 1000;
  return {
    subject: { name },
    witnesses: ["dns"],
    isDeterministic: true,
    summary: `${name} ${CAUSES[cause]}: ${attempts} lookups failed over ${Math.round(spanSeconds)} s`,
    evidence: {
      cause,
      attempts,
      spanSeconds,
      triedNames: boundList(resolution.triedNames),
      lookupMs: last.durationMs,
    },
  };
}

/** Nothing was heard in time, while the agent was late itself: it neither accuses nor acquits. */
function isMissed({ outcome, isSuspect }: Lookup): boolean {
  return outcome === "failed" && isSuspect === true;
}

function slowSymptoms(
  { name, lookups, triedNames }: Resolution,
  limits: { readonly slow: number; readonly window: number },
): readonly Symptom[] {
  const answered = lookups
    .filter(({ outcome, isSuspect }) => outcome === "answered" && isSuspect !== true)
    .slice(-SLOW_LOOKUPS.newest);
  const slow = answered.filter(({ durationMs }) => durationMs > limits.slow);
  const [first, last] = [slow[0], slow.at(-1)];
  if (first === undefined || last === undefined) return [];
  if (answered.length < SLOW_LOOKUPS.atLeast || last.at - first.at < limits.window) return [];

  const lookupMs = Math.max(...slow.map(({ durationMs }) => durationMs));
  const { unanswered } = last;
  const why = unanswered === undefined ? "" : `, as nobody answers for ${unanswered}`;
  const spanSeconds = (last.at - first.at) / 1000;
  return [
    {
      subject: { name },
      severity: "warning",
      witnesses: ["dns"],
      summary: `${name} resolves slowly: ${slow.length} of ${answered.length} lookups took more than ${limits.slow} ms, one of them ${Math.round(lookupMs)} ms${why}`,
      evidence: {
        cause: "slow",
        attempts: slow.length,
        spanSeconds,
        triedNames: boundList(triedNames),
        lookupMs,
        ...present({ unanswered }),
      },
    },
  ];
}
