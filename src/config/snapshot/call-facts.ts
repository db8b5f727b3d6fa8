import * as z from "zod";
import { IMPLEMENTATIONS } from "../../model/channelz.ts";
import type { AppScrape } from "../../model/facts/app-calls.ts";
import type { ChannelGroup } from "../../model/facts/channels.ts";
import type { ServiceHealth } from "../../model/facts/health.ts";
import type { Facts } from "../../model/facts/index.ts";
import type { ProbeHistory, ProbeRun } from "../../model/facts/probes.ts";
import type { SelfWindow } from "../../model/facts/self.ts";
import { CANCELLED_AS, type CallPoll } from "../../model/facts/server-calls.ts";
import type { SocketReading } from "../../model/facts/sockets.ts";
import { PHASES } from "../../model/phase.ts";
import { REASONS } from "../../model/reason.ts";
import { STATUS_NAMES } from "../../model/status.ts";
import { count, exactly, flag, instant, list, maybe, record, some, text } from "./bounds.ts";
import { phaseMs } from "./connection-facts.ts";

const role = z.enum(["app", "upstream"]);
const status = z.enum(STATUS_NAMES);
const serving = z.enum(["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]);

export const expectation = exactly<Facts["expectation"]>()({
  role,
  address: text,
  host: z.object({ kind: z.enum(["name", "ip", "unix"]), name: text }),
  port: maybe(count),
  authority: maybe(text),
  protocol: maybe(z.enum(["plaintext", "tls"])),
  hasCa: flag,
  hasClientCertificate: flag,
  hasCredentials: flag,
  hasServedFile: maybe(flag),
  health: z.object({
    services: list(text, 100),
    expect: z.enum(["SERVING", "NOT_SERVING", "any"]),
  }),
  startupMs: count,
  probes: list(
    z.object({
      name: text,
      method: text,
      everyMs: maybe(count),
      deadlineMs: count,
      objectiveMs: maybe(count),
      hasCredentials: flag,
      compression: maybe(z.enum(["gzip", "deflate"])),
      hasProtoset: maybe(z.literal(true)),
    }),
    500,
  ),
});

const serviceHealth = exactly<ServiceHealth>()({
  status: serving,
  sinceAt: instant,
  via: z.enum(["watch", "check"]),
  everServing: flag,
  everKnown: flag,
  transitions: list(
    z.object({ at: instant, from: serving, to: serving, isReopened: maybe(z.literal(true)) }),
    100,
  ),
  unknownInRow: count,
  errors: maybe(z.object({ count, since: instant, lastAt: instant, code: status, text })),
});

export const health = exactly<Facts["health"]>()({ services: record(serviceHealth, 50) });

export const services = exactly<Facts["services"]>()({
  health: maybe(list(text, 1_000)),
  methods: maybe(
    list(
      z.object({
        name: text,
        kind: z.enum(["unary", "server-streaming", "client-streaming", "bidi"]),
      }),
      1_000,
    ),
  ),
});

const callPoll = exactly<CallPoll>()({
  at: instant,
  started: count,
  succeeded: count,
  failed: count,
  cancelled: count,
  inFlight: count,
  isEstimated: flag,
  standing: maybe(z.object({ streams: count, connections: count })),
  streams: maybe(z.object({ started: count, reset: count })),
  answered: maybe(count),
  ended: maybe(count),
  left: maybe(count),
  spoken: maybe(count),
});

export const serverCalls = exactly<Facts["serverCalls"]>()({
  failsByErrorOnly: maybe(z.literal(true)),
  timesDeadlines: maybe(z.literal(true)),
  hidesDeadlines: maybe(z.literal(true)),
  cancelledAs: maybe(z.enum(CANCELLED_AS)),
  implementation: z.enum(IMPLEMENTATIONS),
  polls: list(callPoll, 200),
});

const socketReading = exactly<SocketReading>()({
  id: count,
  peer: text,
  open: count,
  started: count,
  canSendBytes: maybe(count),
  writerBlocked: maybe(flag),
  lastMessageSentAt: maybe(instant),
});

export const sockets = exactly<Facts["sockets"]>()({
  polls: list(
    z.object({
      at: instant,
      connections: count,
      read: list(socketReading, 100),
      lastInTurn: maybe(count),
    }),
    50,
  ),
  freshOthersSucceed: flag,
});

const CHANNEL_STATES = [
  "UNKNOWN",
  "IDLE",
  "CONNECTING",
  "READY",
  "TRANSIENT_FAILURE",
  "SHUTDOWN",
] as const;

const channelGroup = exactly<ChannelGroup>()({
  channels: count,
  states: some(CHANNEL_STATES, count),
  callsStarted: count,
  callsSucceeded: count,
  callsFailed: count,
  attempts: count,
  attemptsFailed: count,
  subchannels: count,
  isShared: maybe(z.literal(true)),
  remotes: record(
    z.object({ open: count, started: count, connections: count, failing: flag }),
    200,
  ),
  countsQueued: maybe(z.literal(true)),
  lastError: maybe(text),
  scheme: maybe(text),
});

export const channels = exactly<Facts["channels"]>()({
  polls: list(z.object({ at: instant, upstreams: record(channelGroup, 100) }), 100),
});

export const upstreamCalls = exactly<Facts["upstreamCalls"]>()({
  from: text,
  polls: list(channelGroup.extend({ at: instant }), 100),
});

const buckets = z.object({ upperMs: list(count, 200), counts: list(count, 200) });

const scrape = exactly<AppScrape>()({
  at: instant,
  started: maybe(count),
  handledByCode: some(STATUS_NAMES, count),
  answered: maybe(some(STATUS_NAMES, count)),
  unregistered: maybe(count),
  inFlight: maybe(count),
  cancelledDurations: maybe(buckets),
  provenDurations: maybe(buckets),
  faults: maybe(list(z.object({ method: text, code: status, count }), 20)),
});

export const appCalls = exactly<Facts["appCalls"]>()({
  families: list(text, 20),
  scrapes: list(scrape, 100),
});

const probeRun = exactly<ProbeRun>()({
  at: instant,
  outcome: z.enum(["passed", "failed", "unsupported"]),
  phase: maybe(z.enum([...PHASES, "assert"])),
  reason: maybe(z.enum(REASONS)),
  status: maybe(status),
  statusText: maybe(text),
  ms: count,
  phaseMs,
  assertion: maybe(text),
  actual: maybe(text),
  isFirstOnChannel: flag,
  isSuspect: flag,
  address: maybe(text),
  metadata: maybe(z.object({ bytes: count, largestKey: text, largestValueBytes: count })),
  traceId: text,
  spanId: text,
});

const probeHistory = exactly<ProbeHistory>()({
  method: text,
  connection: z.enum(["kept", "fresh"]),
  deadlineMs: count,
  everyMs: maybe(count),
  objectiveMs: maybe(count),
  hasCredentials: flag,
  isUnary: maybe(flag),
  runs: list(probeRun, 100),
  failedInRow: maybe(count),
  lastOkAt: maybe(instant),
  contract: maybe(z.object({ checkedTypes: count, differences: list(text, 100) })),
});

export const probes = exactly<Facts["probes"]>()({ probes: record(probeHistory, 500) });

export const appProcess = exactly<Facts["appProcess"]>()({
  scrapes: list(z.object({ at: instant, openFds: count, maxFds: count }), 20),
});

export const servedFile = exactly<Facts["servedFile"]>()({
  path: text,
  fingerprint: maybe(text),
  notBefore: maybe(instant),
  notAfter: maybe(instant),
  changedAt: maybe(instant),
  keyType: maybe(text),
  since: maybe(instant),
  error: maybe(text),
});

const peerWitness = z.enum(["kernel", "channelz-client"]);

export const peers = exactly<Facts["peers"]>()({
  peers: list(
    z.object({
      address: text,
      connections: count,
      newStreams: maybe(count),
      seenBy: peerWitness,
      seenAt: maybe(instant),
      failing: maybe(z.object({ by: peerWitness, retransmits: maybe(count) })),
    }),
    500,
  ),
  only: maybe(z.object({ address: text, since: instant })),
});

const selfWindow = exactly<SelfWindow>()({
  at: instant,
  windowMs: count,
  lagP99Ms: count,
  throttledRatio: maybe(count),
  descriptorsRatio: maybe(count),
  worstLag: maybe(z.object({ job: text, lagMs: count, ratio: count })),
  jobsSkipped: count,
  rssBytes: count,
  limitBytes: maybe(count),
});

export const self = exactly<Facts["self"]>()({
  startedAt: instant,
  windows: list(selfWindow, 50),
  reloadedAt: maybe(instant),
});

export const crashes = exactly<Facts["crashes"]>()({
  detectors: record(
    z.object({
      crashes: count,
      lastAt: instant,
      errorText: text,
      isBroken: flag,
      lastDurationsMs: list(count, 10),
    }),
    200,
  ),
});

export const configState = exactly<Facts["configState"]>()({
  file: maybe(text),
  rejected: maybe(
    z.object({
      at: instant,
      faults: count,
      firstFault: text,
      runningOn: z.enum(["last-good", "default"]),
      runningSince: instant,
    }),
  ),
});
