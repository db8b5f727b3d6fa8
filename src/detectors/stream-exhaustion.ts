import { appCallSeries } from "../model/call-series.ts";
import { lastWindow, mean } from "../model/counters.ts";
import { durationText } from "../model/duration-text.ts";
import type { AppCalls } from "../model/facts/app-calls.ts";
import type { ServerCalls } from "../model/facts/server-calls.ts";
import type { Sockets } from "../model/facts/sockets.ts";
import type { UpstreamCalls } from "../model/facts/upstream-calls.ts";
import type { Xray } from "../model/facts/xray.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import {
  type FullConnection,
  fullConnections,
  fullUpstreamMs,
  hasRoomBeside,
} from "../model/stream-limit.ts";
import { appFrozen } from "./app-frozen.ts";
import { defineDetector } from "./detector.ts";

/** At or above it a server has no limit: Java sends 2^31 − 1, Node 2^32 − 1. */
const NO_LIMIT = 2 ** 31 - 1;
/** Full is what two polls saw that lie so far apart. */
const LEAST_FULL_MS = 5_000;
/** A server that allows fewer is made for clients that hold one stream and dial again for the next. */
const LEAST_SHARED = 4;
const FLAT_RATIO = 0.02;
/** Of the limit: any number is near some multiple of it, if near means much of it. */
const NEAR_RATIO = 0.05;
const FLAT_WINDOW_MS = 60_000;

/**
 * A connection carries as many calls as its server allows, and further calls wait in the client.
 *
 * No status tells it: the waiting call is not even sent, so it reads as a slow server. While fewer calls
 * are in flight than one connection may carry, none can be full, and no socket needs to be read.
 *
 * Source: RFC 9113 section 5.1.2 and 6.5.2 (SETTINGS_MAX_CONCURRENT_STREAMS).
 */
export const streamExhaustion = defineDetector({
  code: "stream-exhaustion",
  title: "A connection has all the streams that its server allows",
  layer: "http2",
  severity: "critical",
  remedy:
    "Raise the limit of concurrent streams, spread calls over more connections, or end idle streams.",
  lacks:
    "the server's SETTINGS, and calls counted by channelz or by the app's metrics for long enough",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {
    full: {
      unit: "ms",
      default: 15_000,
      min: 5_000,
      max: 600_000,
      says: "How long a connection in demand must be full to be critical",
    },
    high: {
      unit: "ratio",
      default: 0.9,
      min: 0.1,
      max: 1,
      says: "Share of the limit that is a warning once it lasts for the window",
    },
    window: {
      unit: "ms",
      default: 30_000,
      min: 5_000,
      max: 600_000,
      says: "How long a connection must be at that share",
    },
  },
  needs: ["xray"],
  uses: ["serverCalls", "sockets", "upstreamCalls", "appCalls", "surroundings"],
  needsAny: ["serverCalls", "upstreamCalls", "appCalls"],
  causes: [appFrozen],

  detect(view, limits) {
    const { target, xray, serverCalls, sockets, upstreamCalls, appCalls } = view;
    if (xray.lastSettings === undefined) return undefined;
    const most = xray.lastSettings.maxConcurrentStreams ?? NO_LIMIT;
    if (most >= NO_LIMIT) return [];
    if (most === 0) return closedServer(xray);
    const asked = { most, limits, xray, isProxied: view.surroundings?.mesh === true };
    if (upstreamCalls !== undefined) return clientSide(upstreamCalls, target, asked);
    if (serverCalls !== undefined) return serverSide(serverCalls, sockets, asked);
    return appCalls && metricsSide(appCalls, most);
  },
});

interface Asked {
  readonly most: number;
  readonly limits: { readonly full: number; readonly high: number; readonly window: number };
  readonly xray: Xray;
  /** Connections on loopback are those of a proxy. */
  readonly isProxied: boolean;
}

/** A limit of 0 stops every call: seen twice, it is meant. */
function closedServer({ lastLimits }: Xray): readonly Symptom[] {
  if (lastLimits.length < 2 || lastLimits.some((limit) => limit !== 0)) return [];
  return [
    {
      subject: { side: "server" },
      severity: "critical",
      witnesses: ["preflight"],
      isDeterministic: true,
      summary: "The server allows 0 concurrent streams: no call can start",
      evidence: { maxConcurrentStreams: 0 },
    },
  ];
}

function serverSide(
  { polls }: ServerCalls,
  sockets: Sockets | undefined,
  asked: Asked,
): readonly Symptom[] | undefined {
  const { most, limits } = asked;
  const inFlight = polls.at(-1)?.inFlight;
  if (inFlight === undefined) return undefined;
  if (inFlight < limits.high * most) return []; // no connection can be that full
  if (sockets === undefined) return undefined;
  const lasting = (share: number, leastMs: number) =>
    fullConnections(sockets, share * most).filter(
      ({ ms, isHeld }) => ms >= leastMs && !(isHeld && most < LEAST_SHARED),
    );
  const full = lasting(1, LEAST_FULL_MS);
  const high = lasting(limits.high, limits.window);
  const isCrowded = (one: FullConnection) => !hasRoomBeside(one, sockets, asked);
  const crowded = { full: full.filter(isCrowded), high: high.filter(isCrowded) };
  const isAny = crowded.full.length > 0 || crowded.high.length > 0;
  const told = isAny ? { ...crowded, hasRoom: false } : { full, high: [], hasRoom: true };
  const symptoms = fullSymptom({ ...told, inFlight, sockets }, asked);
  if (symptoms.length > 0) return symptoms;
  const brief = { full: lasting(1, 0).filter(isCrowded), high: [], hasRoom: false };
  const suspected = fullSymptom({ ...brief, inFlight, sockets }, asked).map(asSuspicion);
  if (suspected.length > 0) return suspected;
  // Nearly full, and not seen for long enough to tell: no more than that is known.
  return lasting(limits.high, 0).some(isCrowded) ? undefined : [];
}

/** Not full for long enough yet, or not seen so for as long. */
function asSuspicion(symptom: Symptom): Symptom {
  return { ...symptom, isSuspicion: true, holdMs: LEAST_FULL_MS };
}

interface Fullness {
  readonly full: readonly FullConnection[];
  readonly high: readonly FullConnection[];
  /** Their clients have newer connections that are not full. */
  readonly hasRoom: boolean;
  readonly inFlight: number;
  readonly sockets: Sockets;
}

function fullSymptom(fullness: Fullness, asked: Asked): readonly Symptom[] {
  const { full, high, hasRoom, inFlight, sockets } = fullness;
  const told = full.length > 0 ? full : high;
  const [worst] = told;
  if (worst === undefined) return [];
  const isCritical = full.some(({ ms, isInDemand }) => isInDemand && ms >= asked.limits.full);
  const beside = hasRoom ? "; a newer connection of it has room" : "";
  return [
    {
      subject: { side: "server" },
      severity: hasRoom ? "info" : isCritical ? "critical" : "warning",
      witnesses: ["preflight", "channelz"],
      summary: `${nameOf(worst.peer)} has ${worst.open} streams open${worst.ms > 0 ? ` for ${durationText(worst.ms)}` : ""} where the server allows ${asked.most} per connection${beside}`,
      evidence: {
        ...connectionEvidence(worst, asked),
        fullConnections: full.length,
        connections: sockets.polls.at(-1)?.connections ?? 0,
        inFlight,
        peers: peersOf(told),
      },
    },
  ];
}

function connectionEvidence(worst: FullConnection, { most, xray }: Asked): Evidence {
  const freshCallMs = xray.latest.phaseMs.rpc;
  return {
    maxConcurrentStreams: most,
    openStreams: worst.open,
    ...(worst.ms > 0 ? { use: worst.isHeld ? "held" : "busy", fullSeconds: worst.ms / 1000 } : {}),
    ...(freshCallMs === undefined ? {} : { freshCallMs }),
  };
}

function peersOf(connections: readonly FullConnection[]): readonly string[] {
  return [...new Set(connections.map(({ peer }) => nameOf(peer)))];
}

/** Who connects over a unix socket has no address. */
function nameOf(peer: string): string {
  return peer === "" ? "A client of the unix socket" : peer;
}

function clientSide(calls: UpstreamCalls, upstream: string, asked: Asked): readonly Symptom[] {
  const { most, limits } = asked;
  const full = fullUpstreamMs(calls, most);
  if (full === undefined) return [];
  const { ms, openStreams, connections, inFlight, isHeld } = full;
  const symptom: Symptom = {
    subject: { side: "client", upstream },
    severity: ms >= limits.full ? "critical" : "warning",
    witnesses: ["preflight", "channelz-client"],
    summary: `All ${connections} connections of the app to ${upstream} have had the ${most} streams that it allows${ms > 0 ? ` for ${durationText(ms)}` : ""}, and ${inFlight - openStreams} calls wait`,
    evidence: {
      maxConcurrentStreams: most,
      openStreams,
      fullConnections: connections,
      connections,
      inFlight,
      queued: inFlight - openStreams,
      ...(ms > 0 ? { use: isHeld ? "held" : "busy", fullSeconds: ms / 1000 } : {}),
    },
  };
  return [ms < LEAST_FULL_MS ? asSuspicion(symptom) : symptom];
}

/** Metrics know no connections: calls in flight that stand still at a multiple of the limit. */
function metricsSide(appCalls: AppCalls, most: number): readonly Symptom[] | undefined {
  if (most < LEAST_SHARED) return undefined; // any number is a multiple of 1
  const span = lastWindow(appCallSeries(appCalls), FLAT_WINDOW_MS);
  const inFlight = span?.polls.flatMap((poll) => poll.inFlight ?? []) ?? [];
  const middle = mean(inFlight);
  if (span === undefined || middle === undefined) return undefined;
  const multiple = Math.round(middle / most) * most;
  const near = Math.min(FLAT_RATIO * multiple, NEAR_RATIO * most);
  const isFlat = inFlight.every((calls) => Math.abs(calls - multiple) < near);
  if (multiple === 0 || !isFlat) return [];
  const evidence: Evidence = {
    maxConcurrentStreams: most,
    inFlight: inFlight.at(-1) ?? multiple,
    fullSeconds: span.ms / 1000,
  };
  return [
    {
      subject: { side: "server" },
      severity: "warning",
      witnesses: ["preflight", "metrics"],
      summary: `${Math.round(middle)} calls have been in flight for ${durationText(span.ms)}, a multiple of the ${most} streams that the server allows per connection`,
      evidence,
    },
  ];
}
