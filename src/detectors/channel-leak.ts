import { type Timed, wholeSpan } from "../model/counters.ts";
import { durationText } from "../model/duration-text.ts";
import type { ChannelGroup, Channels } from "../model/facts/channels.ts";
import type { Outbound, OutboundMinute } from "../model/facts/outbound.ts";
import {
  pollsByUpstream,
  type UpstreamCalls,
  type UpstreamPoll,
} from "../model/facts/upstream-calls.ts";
import type { Evidence, Severity, Symptom } from "../model/finding.ts";
import { own } from "../model/own.ts";
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

/** What carries a call each, or nearly, is in use: a gateway has a connection for each of its users. */
const IN_USE_RATIO = 0.5;

/**
 * The app makes channels or connections and does not keep, or does not close, them.
 *
 * A channel is made to be shared: one for each call costs a handshake each time, and where it is not
 * closed, memory and file descriptors too. The kernel alone cannot tell those that are forgotten from
 * those that are in use, so what it sees is worth knowing, and a warning where they are very many.
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
    "the app's channels by channelz, or its own connections in the socket table without a mesh, and where there are many of them ten minutes to see whether they become more",
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
      says: "Channels or connections to one upstream that are critical; a warning where only the kernel tells",
    },
  },
  needs: ["expectation"],
  uses: ["channels", "upstreamCalls", "outbound", "surroundings"],
  needsAny: ["channels", "outbound"],

  detect({ expectation, channels, upstreamCalls, outbound, surroundings }, limits) {
    const ownRows = surroundings?.mesh === true ? undefined : outbound;
    if (channels === undefined && ownRows === undefined) return undefined;
    const byChannels = leaksOfChannels(channels, limits);
    const groups = newestGroups(channels, upstreamCalls);
    const byRows = leaksOfRows({ outbound: ownRows, groups }, ownName(expectation), limits);
    const named = new Set(byChannels.map(({ upstream }) => upstream));
    const rows = byRows.filter(({ upstream }) => !named.has(upstream));
    const leaks = [...byChannels, ...rows].toSorted((a, b) => b.count - a.count);
    if (leaks.length > 0) return boundSubjects(leaks.map(symptomOf));
    return isSeenTooBriefly(channels, ownRows, limits) ? undefined : [];
  },
});

/** The app's channels as its own channelz has them, and those with this upstream as its app has them. */
function newestGroups(
  channels: Channels | undefined,
  upstreamCalls: UpstreamCalls | undefined,
): readonly ChannelGroup[] {
  const groups = Object.values(channels?.polls.at(-1)?.upstreams ?? {});
  return [...groups, ...(upstreamCalls?.polls.slice(-1) ?? [])];
}

/** There are so many that they may pile up, and nobody has looked for long enough to tell. */
function isSeenTooBriefly(
  channels: Channels | undefined,
  outbound: Outbound | undefined,
  { window, growth, connections }: Bounds,
): boolean {
  const isBrief = (series: readonly Timed[]) => (wholeSpan(series)?.ms ?? 0) < window;
  const groups = channels === undefined ? [] : pollsByUpstream(channels);
  const minutes = (outbound?.minutes ?? []).map(({ to, remotes }) => ({ at: to, remotes }));
  return (
    groups.some(([, polls]) => isBrief(polls) && (polls.at(-1)?.channels ?? 0) > growth) ||
    (isBrief(minutes) &&
      (minutes.at(-1)?.remotes ?? []).some(({ established }) => established > connections))
  );
}

function leaksOfChannels(channels: Channels | undefined, limits: Bounds): readonly Leak[] {
  const groups = channels === undefined ? [] : pollsByUpstream(channels);
  return groups.flatMap(([upstream, polls]) => leakOfChannels(upstream, polls, limits));
}

function leakOfChannels(
  upstream: string,
  polls: readonly UpstreamPoll[],
  { window, growth, critical }: Bounds,
): readonly Leak[] {
  const levels = polls.map(({ at, channels }) => ({ at, value: channels }));
  const found = steadyGrowth(levels, window);
  const newest = polls.at(-1);
  if (found === undefined || found.grew < growth || newest === undefined) return [];
  const { channels, callsStarted, callsSucceeded, callsFailed } = newest;
  if (callsStarted - callsSucceeded - callsFailed >= IN_USE_RATIO * channels) return [];
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
  {
    outbound,
    groups,
  }: { readonly outbound: Outbound | undefined; readonly groups: readonly ChannelGroup[] },
  named: { readonly own?: string },
  limits: Bounds,
): readonly Leak[] {
  if (outbound === undefined) return [];
  const { minutes, knownAs } = outbound;
  const remotes = minutes.at(-1)?.remotes ?? [];
  return remotes.flatMap(({ address, port }): readonly Leak[] => {
    const service = hostPort(address, port);
    const piling = pilingRows(minutes, service, limits);
    const use = useOf(groups, address);
    if (piling === undefined || (!piling.areClosed && use === "in use")) return [];
    const { upstream, isKnown } = remoteName(service, { ...named, knownAs });
    const isSure = piling.areClosed || use === "idle";
    const [above, below] = isSure ? SURE : KERNEL_ONLY;
    const severity = piling.connections > limits.critical ? above : below;
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

/** The severity above the limit of what is critical, and below it. */
const SURE = ["critical", "warning"] as const;
const KERNEL_ONLY = ["warning", "info"] as const;

/** Whether the app's connections to a remote carry calls, as its channels tell; `undefined` where none does. */
function useOf(groups: readonly ChannelGroup[], address: string): "in use" | "idle" | undefined {
  const remotes = groups.flatMap((group) => own(group.remotes, address) ?? []);
  if (remotes.length === 0) return undefined;
  const isInUse = remotes.some(({ open, connections }) => open >= IN_USE_RATIO * connections);
  return isInUse ? "in use" : "idle";
}

interface Piling {
  readonly connections: number;
  /** Those in TIME_WAIT are what piles up. */
  readonly areClosed: boolean;
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
    return { connections, areClosed: true, what, evidence: { connections, timeWait: closed } };
  }
  const growth = connections > limits.connections ? steadyGrowth(rows, limits.window) : undefined;
  if (growth === undefined) return undefined;
  const { grew, ms } = growth;
  return {
    connections,
    areClosed: false,
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
