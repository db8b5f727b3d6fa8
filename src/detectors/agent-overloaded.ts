import type { Self, SelfWindow } from "../model/facts/self.ts";
import type { Evidence } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { defineDetector } from "./detector.ts";

const START_MS = 10_000;
const MEMORY_RATIO = 0.9;
const DESCRIPTORS_RATIO = 0.9;

/**
 * The agent is too slow to trust its own clock: while this lasts, what is judged by timing is unjudged.
 *
 * The hold spans two windows of 15 s, so one pause (a stopped process that was continued) is none.
 */
export const agentOverloaded = defineDetector({
  code: "agent-overloaded",
  title: "The agent does not keep up",
  layer: "agent",
  severity: "warning",
  remedy:
    "Raise the agent's limit of CPU, memory or file descriptors, or lower the number and rate of its probes and channelz sockets.",
  lacks: "one whole window of the agent's own timing, 15 s",
  holdMs: 30_000,
  clearAfterMs: 120_000,
  limits: {
    lag: {
      unit: "ms",
      default: 100,
      min: 10,
      max: 10_000,
      says: "Event-loop lag (p99 of 15 s) of the agent that is too much",
    },
    throttled: {
      unit: "ratio",
      default: 0.1,
      min: 0.01,
      max: 1,
      says: "Share of its cgroup's periods in which the agent was throttled",
    },
    scheduleLag: {
      unit: "ratio",
      default: 0.2,
      min: 0.01,
      max: 10,
      says: "How late a job may start, as a share of its interval",
    },
  },
  needs: ["self"],

  detect({ self }, limits) {
    const window = self.windows.at(-1);
    if (window === undefined) return undefined;
    if (isExcused(self, window)) return [];
    const throttled = throttledSign(window, limits.throttled);
    const others = [
      ...loopSign(window, limits.lag),
      ...scheduleSign(window, limits.scheduleLag),
      ...memorySign(window),
      ...descriptorsSign(window),
    ];
    if (throttled.length + others.length === 0) return [];
    return [
      {
        subject: {},
        severity: others.length === 0 ? "info" : "warning",
        witnesses: throttled.length === 0 ? ["self"] : ["self", "cgroup"],
        summary: `The agent does not keep up: ${[...others, ...throttled].join(", ")}`,
        evidence: evidenceOf(window),
      },
    ];
  },
});

function loopSign({ lagP99Ms }: SelfWindow, limit: number): readonly string[] {
  return lagP99Ms > limit ? [`its event loop lags ${Math.round(lagP99Ms)} ms`] : [];
}

function throttledSign({ throttledRatio }: SelfWindow, limit: number): readonly string[] {
  if (throttledRatio === undefined || throttledRatio < limit) return [];
  return [`its CPU was throttled in ${percent(throttledRatio)} of the periods`];
}

function scheduleSign({ worstLag }: SelfWindow, limit: number): readonly string[] {
  if (worstLag === undefined || worstLag.ratio <= limit) return [];
  return [`${worstLag.job} starts ${Math.round(worstLag.lagMs)} ms late`];
}

function memorySign({ rssBytes, limitBytes }: SelfWindow): readonly string[] {
  if (limitBytes === undefined || rssBytes / limitBytes < MEMORY_RATIO) return [];
  return [`its memory is at ${percent(rssBytes / limitBytes)} of the limit`];
}

function descriptorsSign({ descriptorsRatio }: SelfWindow): readonly string[] {
  if (descriptorsRatio === undefined || descriptorsRatio < DESCRIPTORS_RATIO) return [];
  return [`its file descriptors are at ${percent(descriptorsRatio)} of the limit`];
}

/** The first seconds after a start, and a window with a reload in it. */
function isExcused({ startedAt, reloadedAt }: Self, { at, windowMs }: SelfWindow): boolean {
  const beganAt = at - windowMs;
  return beganAt < startedAt + START_MS || (reloadedAt !== undefined && reloadedAt >= beganAt);
}

function evidenceOf(window: SelfWindow): Evidence {
  const { lagP99Ms, throttledRatio, worstLag, jobsSkipped, rssBytes } = window;
  const { limitBytes, descriptorsRatio } = window;
  return {
    lagMs: lagP99Ms,
    memoryBytes: rssBytes,
    jobsSkipped,
    ...present({ throttledRatio, limitBytes, descriptorsRatio }),
    ...(worstLag === undefined ? {} : { scheduleLagMs: worstLag.lagMs, job: worstLag.job }),
  };
}

function percent(ratio: number): string {
  return `${Math.round(100 * ratio)} %`;
}
