import { durationText } from "../model/duration-text.ts";
import type { Outbound, OutboundMinute } from "../model/facts/outbound.ts";
import { pollsByUpstream, type UpstreamPoll } from "../model/facts/upstream-calls.ts";
import type { Evidence, Severity, Symptom } from "../model/finding.ts";
import { ownName, remoteName } from "../model/remote-name.ts";
import type { Witness } from "../model/source-name.ts";
import { steadyGrowth } from "../model/steady-growth.ts";
import { boundSubjects } from "../model/subjects.ts";
import { hostPort } from "../model/target.ts";
import { defineDetector } from "./detector.ts";

interface Leak {
  readonly upstream: string;
  readonly severity: Severity;
  readonly witness: Witness;
  /** Channels or connections: what there is too much of. */
  readonly count: number;
  readonly summary: string;
  readonly evidence: Evidence;
}

interface Bounds {
  readonly window: number;
  readonly growth: number;
  readonly connections: number;
  readonly timeWait: number;
  readonly critical: number;
}

/**
 * The app makes channels or connections and does not keep, or does not close, them.
 *
 * A channel is made to be shared: one for each call costs a handshake each time, and where it is not
 * closed, memory and file descriptors too.
 *
 * Source: gRPC performance best practices ("re-use stubs and channels"); RFC 9293 section 3.6.1
 * (TIME-WAIT stays with the side that closes).
 */
export const channelLeak = defineDetector({
  code: "channel-leak",
  title: "The app's channels or connections to one upstream pile up",
  layer: "handler",
  severity: "critical",
  remedy:
    "Create one channel per target and keep it; close what is created per call (`Close`, `shutdown`, `close()`).",
  lacks:
    "the app's channels by channelz, or its own connections in the socket table without a mesh",
  holdMs: 0,
  clearAfterMs: 300_000,
  limits: {
    window: {
      unit: "ms",
      default: 600_000,
      min: 300_000,
      max: 600_000,
      says: "How far back growth is counted",
    },
    growth: {
      unit: "count",
      default: 20,
      min: 2,
      max: 100_000,
      says: "More channels to one target than at the window's begin",
    },
    connections: {
      unit: "count",
      default: 50,
      min: 5,
      max: 100_000,
      says: "Connections to one remote above which growth is a leak",
    },
    timeWait: {
      unit: "count",
      default: 5000,
      min: 500,
      max: 100_000,
      says: "Closed connections to one remote that the kernel still remembers",
    },
    critical: {
      unit: "count",
      default: 200,
      min: 10,
      max: 1_000_000,
      says: "Channels or connections to one upstream that are critical",
    },
  },
  needs: ["expectation"],
  uses: ["channels", "outbound", "surroundings"],
  needsAny: ["channels", "outbound"],

  detect({ expectation, channels, outbound, surroundings }, limits) {
    const byChannels =
      channels &&
      pollsByUpstream(channels).flatMap(([upstream, polls]) =>
        leakOfChannels(upstream, polls, limits),
      );
    const isHidden = outbound === undefined || surroundings?.mesh === true;
    const byRows = isHidden ? undefined : leaksOfRows(outbound, ownName(expectation), limits);
    if (byChannels === undefined && byRows === undefined) return undefined;
    const named = new Set(byChannels?.map(({ upstream }) => upstream));
    const rows = (byRows ?? []).filter(({ upstream }) => !named.has(upstream));
    const leaks = [...(byChannels ?? []), ...rows].toSorted((a, b) => b.count - a.count);
    return boundSubjects(leaks.map(symptomOf));
  },
});

function leakOfChannels(
  upstream: string,
  polls: readonly UpstreamPoll[],
  { window, growth, critical }: Bounds,
): readonly Leak[] {
  const levels = polls.map(({ at, channels }) => ({ at, value: channels }));
  const found = steadyGrowth(levels, window);
  const channels = levels.at(-1)?.value ?? 0;
  if (found === undefined || found.grew < growth) return [];
  return [
    {
      upstream,
      severity: channels > critical ? "critical" : "warning",
      witness: "channelz-client",
      count: channels,
      summary: `The app has ${channels} channels to ${upstream}, ${found.grew} more than ${durationText(found.ms)} ago, and goes on making them`,
      evidence: {
        channels,
        growth: found.grew,
        windowSeconds: found.ms / 1000,
        knownAsGrpc: true,
      },
    },
  ];
}

function leaksOfRows(
  { minutes, knownAs }: Outbound,
  own: { readonly own?: string },
  limits: Bounds,
): readonly Leak[] {
  const remotes = minutes.at(-1)?.remotes ?? [];
  return remotes.flatMap(({ address, port }): readonly Leak[] => {
    const service = hostPort(address, port);
    const piling = pilingRows(minutes, service, limits);
    if (piling === undefined) return [];
    const { upstream, isKnown } = remoteName(service, { ...own, knownAs });
    const severity = piling.connections > limits.critical ? "critical" : "warning";
    return [
      {
        upstream,
        severity: isKnown ? severity : "info",
        witness: "kernel",
        count: piling.connections,
        summary: `The app has ${piling.what} to ${upstream}${isKnown ? "" : ", which is not known to be gRPC"}`,
        evidence: { ...piling.evidence, knownAsGrpc: isKnown },
      },
    ];
  });
}

interface Piling {
  readonly connections: number;
  readonly what: string;
  readonly evidence: Evidence;
}

/** A remote with too many connections that still become more, or with too many that were closed. */
function pilingRows(
  minutes: readonly OutboundMinute[],
  service: string,
  limits: Bounds,
): Piling | undefined {
  const rows = minutes.map(({ to, remotes }) => {
    const remote = remotes.find(({ address, port }) => hostPort(address, port) === service);
    const { established = 0, timeWait = 0 } = remote ?? {};
    return { at: to, value: established, timeWait };
  });
  const connections = rows.at(-1)?.value ?? 0;
  const [closed, closedBefore] = [rows.at(-1)?.timeWait ?? 0, rows.at(-2)?.timeWait ?? 0];
  if (Math.min(closed, closedBefore) > limits.timeWait) {
    const what = `${closed} closed connections in TIME_WAIT`;
    return { connections, what, evidence: { connections, timeWait: closed } };
  }
  const growth = connections > limits.connections ? steadyGrowth(rows, limits.window) : undefined;
  if (growth === undefined) return undefined;
  const { grew, ms } = growth;
  return {
    connections,
    what: `${connections} connections, ${grew} more than ${durationText(ms)} ago,`,
    evidence: { connections, timeWait: closed, growth: grew, windowSeconds: ms / 1000 },
  };
}

function symptomOf({ upstream, severity, witness, summary, evidence }: Leak): Symptom {
  return {
    subject: { upstream },
    severity,
    witnesses: [witness],
    isDeterministic: witness === "kernel",
    summary,
    evidence,
  };
}
