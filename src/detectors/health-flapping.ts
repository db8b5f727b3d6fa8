import { durationText } from "../model/duration-text.ts";
import { mayBeBalanced } from "../model/facts/expectation.ts";
import type { HealthTransition, ServiceHealth } from "../model/facts/health.ts";
import type { Symptom } from "../model/finding.ts";
import { isServiceOfCalls } from "../model/named-service.ts";
import type { Instant } from "../model/time.ts";
import { appFrozen } from "./app-frozen.ts";
import { defineDetector } from "./detector.ts";

const QUICK_MS = 120_000;
const TIMELINE = 20;
const REPLICAS = ", or several replicas with different ones answered in turn";
/** As many transitions as the fact remembers: the first of them need not be the epoch's first. */
const REMEMBERED = 40;

/**
 * The health of a service goes back and forth between SERVING and NOT_SERVING.
 *
 * Each transition moves clients away and back (gRFC A17), and pods in and out of their endpoints.
 * A name that nobody calls may be a role that moves (a leader's): an information. Polling sees only what lasts a poll, so it convicts of a warning at most; and where a
 * balancer may ask another replica each time (of an upstream, or a name), of none: it is worth knowing.
 *
 * Source: grpc/health/v1/health.proto.
 */
export const healthFlapping = defineDetector({
  code: "health-flapping",
  title: "The declared health goes back and forth",
  layer: "handler",
  severity: "critical",
  remedy:
    "Let the condition settle before the status changes, and take dependencies that flap out of readiness or damp them.",
  lacks: "two minutes of the declared health",
  holdMs: 0,
  clearAfterMs: 600_000,
  limits: {
    transitions: {
      unit: "count",
      default: 4,
      min: 2,
      max: 40,
      says: "Changes to and from SERVING within the window that are flapping",
    },
    quick: {
      unit: "count",
      default: 3,
      min: 2,
      max: 40,
      says: "Changes within 2 min that are flapping",
    },
    critical: {
      unit: "count",
      default: 6,
      min: 2,
      max: 40,
      says: "Changes within the window that are critical, where health is watched",
    },
    window: {
      unit: "ms",
      default: 600_000,
      min: 120_000,
      max: 3_600_000,
      says: "How far back changes are counted",
    },
  },
  needs: ["health", "expectation"],
  uses: ["services"],
  causes: [appFrozen],

  detect({ now, stamp, health, expectation, services }, { transitions, quick, critical, window }) {
    if (expectation.health.expect === "any") return [];
    const states = Object.values(health.services);
    const symptoms = Object.entries(health.services).flatMap(
      ([service, state]): readonly Symptom[] => {
        const flips = flipsOf(state).filter(({ at }) => now - at <= window);
        const quickFlips = flips.filter(({ at }) => now - at <= QUICK_MS);
        if (flips.length < transitions && quickFlips.length < quick) return [];
        const isBalanced = state.via === "check" && mayBeBalanced(expectation);
        const isCritical = flips.length >= critical && state.via === "watch";
        const severity = isCritical ? "critical" : "warning";
        const isRole = !isServiceOfCalls(service, expectation, services);
        return [
          {
            subject: { service },
            severity: isBalanced || isRole ? "info" : severity,
            witnesses: ["health"],
            isDeterministic: true,
            summary: `Health of ${service === "" ? "the server" : service} changed ${flips.length} times in ${durationText(window)}${isBalanced ? REPLICAS : ""}`,
            evidence: {
              transitions: flips.length,
              windowSeconds: window / 1000,
              timeline: flips.slice(-TIMELINE).map(({ at, to }) => `${timeOfDay(stamp(at))} ${to}`),
              shortestMs: shortestMs(flips),
            },
          },
        ];
      },
    );
    const isUnsure =
      states.length > 0 && states.every((state) => now - knownSince(state) < QUICK_MS);
    return symptoms.length === 0 && isUnsure ? undefined : symptoms;
  },
});

/** The first that is remembered of it. */
function knownSince({ transitions, sinceAt }: ServiceHealth): Instant {
  return transitions[0]?.at ?? sinceAt;
}

/**
 * Changes between SERVING and NOT_SERVING. The first SERVING after a start is none, nor is what one Watch
 * says and the next: a proxy that cuts it may have asked two replicas. Nor is a Check that takes back what a
 * Watch has just told, until it is told again: its answer may be older.
 */
function flipsOf({ transitions }: ServiceHealth): readonly HealthTransition[] {
  const between = new Set(["SERVING", "NOT_SERVING"]);
  const flips = transitions.filter(({ from, to }) => between.has(from) && between.has(to));
  const isStart = flips[0]?.to === "SERVING" && transitions.length < REMEMBERED;
  const changes = isStart ? flips.slice(1) : flips;
  return changes.filter(({ isReopened = false }) => !isReopened);
}

function shortestMs(flips: readonly HealthTransition[]): number {
  const gaps = flips.slice(1).map(({ at }, index) => at - (flips[index]?.at ?? at));
  return Math.min(...gaps);
}

/** `12:00:01.250Z`. */
function timeOfDay(stamp: string): string {
  return stamp.slice(11);
}
