import type { Detector } from "../../src/detectors/detector.ts";
import type { Baseline } from "../../src/model/baseline.ts";
import type { ChannelGroup } from "../../src/model/facts/channels.ts";
import type { ServiceHealth } from "../../src/model/facts/health.ts";
import type { FactName, Facts } from "../../src/model/facts/index.ts";
import type { AcceptRead, Listeners } from "../../src/model/facts/listeners.ts";
import type { OutboundRead } from "../../src/model/facts/outbound.ts";
import type { Peer } from "../../src/model/facts/peers.ts";
import type { ProbeHistory, ProbeRun } from "../../src/model/facts/probes.ts";
import type { SeenAddress } from "../../src/model/facts/resolution.ts";
import type { SelfWindow } from "../../src/model/facts/self.ts";
import type { CallPoll } from "../../src/model/facts/server-calls.ts";
import type { SocketReading } from "../../src/model/facts/sockets.ts";
import type { Symptom } from "../../src/model/finding.ts";
import { present } from "../../src/model/present.ts";
import type { Known, Snapshot, TargetSnapshot } from "../../src/model/snapshot.ts";
import type { ListenRow, RemoteRows } from "../../src/model/socket-rows.ts";
import type { Instant } from "../../src/model/time.ts";
import type { CertificateFacts, DialAttempt, TlsFacts, XrayReport } from "../../src/model/xray.ts";
import { evidenceFaults } from "./evidence.ts";

/**
 * Builders of facts and snapshots with sound defaults: a healthy server `app` on port 50051 in this
 * pod, seen now. A test changes what it is about; a key that is set to `undefined` is left out, as
 * unknown is an absent key.
 */

/** 2026-01-15T12:00:00Z. */
export const NOW: Instant = 1_768_478_400_000;

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Some keys of a value; `undefined` removes one. */
export type Change<T> = { readonly [K in keyof T]?: T[K] | undefined };

type Builder<T> = (change?: Change<T>) => T;

function builder<T extends object>(sound: T): Builder<T> {
  return (change = {}) => {
    return present({ ...sound, ...change }) as T;
  };
}

/** `count` values, `everyMs` apart, oldest first; the last one is of NOW. */
export function series<T>(
  count: number,
  everyMs: number,
  make: (at: Instant, index: number) => T,
): readonly T[] {
  return Array.from({ length: count }, (_, index) =>
    make(NOW - (count - 1 - index) * everyMs, index),
  );
}

export const anExpectation = builder<Facts["expectation"]>({
  role: "app",
  address: "localhost:50051",
  host: { kind: "name", name: "localhost" },
  port: 50051,
  hasCa: false,
  hasClientCertificate: false,
  hasCredentials: false,
  health: { services: [""], expect: "SERVING" },
  startupMs: 10 * MINUTE,
  probes: [],
});

/** A configured upstream with a name. */
export const anUpstreamExpectation: Builder<Facts["expectation"]> = (change) =>
  anExpectation({
    role: "upstream",
    address: "dns:///inventory.shop.svc:50051",
    host: { kind: "name", name: "inventory.shop.svc" },
    ...change,
  });

export const aDial = builder<DialAttempt>({
  at: NOW,
  address: "127.0.0.1:50051",
  family: "ipv4",
  outcome: "connected",
  connectMs: 0.2,
});

export const aRefusedDial: Builder<DialAttempt> = (change) =>
  aDial({ outcome: "refused", errno: "ECONNREFUSED", connectMs: undefined, ...change });

export const aReach = builder<Facts["reach"]>({
  firstTriedAt: NOW - HOUR,
  attempts: [aDial()],
  lastConnectedAt: NOW,
  everListened: true,
  runs: {
    "127.0.0.1:50051": { outcome: "connected", since: NOW - HOUR, lastAt: NOW, count: 120 },
  },
});

/** Issued a third of its ninety days ago. */
export const aCertificate = builder<CertificateFacts>({
  fingerprint: "a1".repeat(32),
  subject: "CN=orders",
  issuer: "CN=Example Issuing CA",
  notBefore: NOW - 30 * DAY,
  notAfter: NOW + 60 * DAY,
  isSelfSigned: false,
  isCa: false,
});

export const someTls = builder<TlsFacts>({
  version: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  offeredAlpn: ["h2"],
  selectedAlpn: "h2",
  serverName: "orders.shop.svc",
  chain: [aCertificate()],
  sentCertificates: 1,
  sans: ["orders.shop.svc"],
  hasSans: true,
});

export const anXrayReport = builder<XrayReport>({
  at: NOW,
  outcome: "passed",
  phaseMs: { tcp: 0.2, http2: 1, rpc: 1 },
  dials: [aDial()],
  localPort: 40_000,
  spoke: "plaintext",
  settings: {},
});

/** Confirmed: the same was seen twice, 30 s apart. */
export const anXray: Builder<Facts["xray"]> = builder<Facts["xray"]>({
  latest: anXrayReport(),
  same: { since: NOW - 30 * SECOND, lastAt: NOW, count: 2 },
  everHttp2: true,
  lastLimits: [null],
});

/** The two runs that keep a result from being confirmed: seen once, or twice within a second. */
export const UNCONFIRMED: Readonly<Record<"once" | "tooSoon", Facts["xray"]["same"]>> = {
  once: { since: NOW, lastAt: NOW, count: 1 },
  tooSoon: { since: NOW - 999, lastAt: NOW, count: 2 },
};

export const aSeenAddress = builder<SeenAddress>({
  at: NOW,
  since: NOW - HOUR,
  missed: 0,
  longestGapMs: 0,
});

export const aResolution = builder<Facts["resolution"]>({
  name: "inventory.shop.svc",
  lookups: series(10, 30 * SECOND, (at) => ({ at, outcome: "answered", durationMs: 2 })),
  triedNames: ["inventory.shop.svc"],
  answers: ["10.0.0.9"],
  answeredAt: NOW,
  answeredInRow: 100,
  seen: { "10.0.0.9": aSeenAddress() },
  highestTtlMs: 30 * SECOND,
});

export const aListenRow = builder<ListenRow>({
  address: "::",
  port: 50051,
  queued: 0,
  inode: 4711,
});

export const anAcceptRead = builder<AcceptRead>({
  at: NOW,
  queued: 0,
  unaccepted: 0,
  overflows: 0,
  drops: 0,
  established: 3,
  receiveQueueBytes: 0,
  keptReceiveQueueBytes: 0,
});

export const aListeners: Builder<Listeners> = builder<Listeners>({
  rows: [aListenRow()],
  listening: ["[::]:50051"],
  sharesNetwork: true,
  loopbackClients: 0,
  reads: [anAcceptRead()],
  since: NOW - HOUR,
});

export const someSurroundings = builder<Facts["surroundings"]>({
  mesh: false,
  hostNetwork: false,
  readCostMs: 3,
  podAddress: "10.0.0.5",
  podAddresses: ["10.0.0.5"],
});

export const someRemoteRows = builder<RemoteRows>({
  address: "10.0.0.9",
  port: 50051,
  established: 1,
  synSent: 0,
  synRetransmits: 0,
  timeWait: 0,
  closeWait: 0,
  retransmitting: 0,
  maxRetransmits: 0,
  zeroWindow: 0,
  sendQueueBytes: 0,
  receiveQueueBytes: 0,
  localPorts: [41_000],
});

const anOutboundRead = builder<OutboundRead>({ at: NOW, remotes: [someRemoteRows()] });

export const anOutbound = builder<Facts["outbound"]>({
  reads: [anOutboundRead()],
  minutes: [],
  knownAs: {},
});

export const aKept = builder<Facts["kept"]>({
  state: "open",
  since: NOW - HOUR,
  localPort: 40_001,
  connectMs: 0.2,
  replies: series(10, 10 * SECOND, (at) => ({ at, outcome: "replied", ms: 1 })),
  silentInRow: 0,
  lastReplyAt: NOW,
  lost: 0,
  ends: [],
});

export const aServiceHealth = builder<ServiceHealth>({
  status: "SERVING",
  sinceAt: NOW - HOUR,
  via: "watch",
  everServing: true,
  everKnown: true,
  transitions: [],
  unknownInRow: 0,
});

export const someHealth = builder<Facts["health"]>({ services: { "": aServiceHealth() } });

export const someServices = builder<Facts["services"]>({ health: [], methods: [] });

export const aCallPoll = builder<CallPoll>({
  at: NOW,
  started: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  inFlight: 0,
  isEstimated: false,
});

/** Ten calls in each poll of 10 s, all of them good, over the last 5 min. */
export const aServerCalls = builder<Facts["serverCalls"]>({
  implementation: "go",
  polls: series(31, 10 * SECOND, (at, index) =>
    aCallPoll({ at, started: 10 * index, succeeded: 10 * index }),
  ),
});

export const aSocketReading = builder<SocketReading>({
  id: 1,
  peer: "10.0.0.20",
  open: 1,
  started: 100,
  canSendBytes: 65_535,
});

export const someSockets = builder<Facts["sockets"]>({
  polls: series(12, 10 * SECOND, (at) => ({ at, connections: 1, read: [aSocketReading()] })),
  freshOthersSucceed: false,
});

export const aChannelGroup = builder<ChannelGroup>({
  channels: 1,
  states: { READY: 1 },
  callsStarted: 0,
  callsSucceeded: 0,
  callsFailed: 0,
  attempts: 0,
  attemptsFailed: 0,
  subchannels: 1,
  remotes: {},
});

export const someChannels = builder<Facts["channels"]>({
  polls: [{ at: NOW, upstreams: { "inventory.shop.svc:50051": aChannelGroup() } }],
});

/** 200 calls a minute, all of them good, over the last 11 min. */
export const someUpstreamCalls = builder<Facts["upstreamCalls"]>({
  from: "app",
  polls: series(67, 10 * SECOND, (at, index) => {
    const calls = Math.round((200 * index) / 6);
    return { at, ...aChannelGroup({ callsStarted: calls, callsSucceeded: calls }) };
  }),
});

export const someAppCalls = builder<Facts["appCalls"]>({
  families: ["go-grpc-middleware"],
  scrapes: series(20, 15 * SECOND, (at, index) => ({ at, handledByCode: { OK: 15 * index } })),
});

export const anAppProcess = builder<Facts["appProcess"]>({
  scrapes: series(3, 15 * SECOND, (at) => ({ at, openFds: 100, maxFds: 1024 })),
});

export const aProbeRun = builder<ProbeRun>({
  at: NOW,
  outcome: "passed",
  status: "OK",
  ms: 5,
  phaseMs: {},
  isFirstOnChannel: false,
  isSuspect: false,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
});

export const aProbeHistory = builder<ProbeHistory>({
  method: "order.OrderService/GetOrder",
  connection: "kept",
  deadlineMs: 500,
  everyMs: 30 * SECOND,
  hasCredentials: false,
  isUnary: true,
  runs: series(5, 30 * SECOND, (at) => aProbeRun({ at })),
  lastOkAt: NOW,
});

export const someProbes = builder<Facts["probes"]>({ probes: { "get-order": aProbeHistory() } });

export const aServedFile = builder<Facts["servedFile"]>({
  path: "/app-certs/tls.crt",
  fingerprint: "a1".repeat(32),
  notBefore: NOW - 30 * DAY,
  notAfter: NOW + 60 * DAY,
  changedAt: NOW - 30 * DAY,
  since: NOW - HOUR,
});

export const aPeer = builder<Peer>({
  address: "10.0.0.9",
  connections: 1,
  newStreams: 10,
  seenBy: "channelz-client",
});

/** Seen by the kernel alone: its streams cannot be. */
export const aBlindPeer: Builder<Peer> = (change) =>
  aPeer({ newStreams: undefined, seenBy: "kernel", ...change });

export const somePeers = builder<Facts["peers"]>({ peers: [aPeer()] });

export const aSelfWindow = builder<SelfWindow>({
  at: NOW,
  windowMs: 15 * SECOND,
  lagP99Ms: 2,
  throttledRatio: 0,
  jobsSkipped: 0,
  rssBytes: 60 * 1024 * 1024,
  limitBytes: 128 * 1024 * 1024,
});

export const aSelf = builder<Facts["self"]>({
  startedAt: NOW - HOUR,
  windows: series(12, 15 * SECOND, (at) => aSelfWindow({ at })),
});

export const someCrashes = builder<Facts["crashes"]>({ detectors: {} });

export const aConfigState = builder<Facts["configState"]>({ file: "config.yaml" });

/** Past the floor of weight and age. */
export const aBaseline = builder<Baseline>({ mean: 0, weight: 10_000, since: NOW - HOUR });

export function known<T>(value: T, at: Instant = NOW): Known<T> {
  return { state: "known", at, value };
}

/** Facts, each known now. */
export function knownFacts(facts: Partial<Facts>): TargetSnapshot["facts"] {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, known(value)]));
}

/** A target that has been watched for an hour, and of which no fact is known. */
export const aTargetSnapshot = builder<TargetSnapshot>({
  state: "watched",
  epoch: 1,
  epochSince: NOW - HOUR,
  timingTrusted: true,
  capabilities: [],
  facts: {},
  baselines: {},
});

export const aSnapshot = builder<Snapshot>({ takenAt: NOW, targets: { app: aTargetSnapshot() } });

export interface JudgeOptions<D extends Detector> {
  /** The others have their defaults. */
  readonly limits?: { readonly [K in keyof D["limits"]]?: number };
  /** Baselines of this code, past the floor. */
  readonly usual?: Readonly<Record<string, Baseline | undefined>>;
  readonly now?: Instant;
  readonly wallAheadMs?: number;
  readonly timingTrusted?: boolean;
  readonly target?: string;
}

const reads = new Map<string, Set<FactName>>();

/**
 * What a detector says of these facts; every other fact, or one set to `undefined`, is unknown. Throws when it reads a fact that
 * it did not declare, and remembers those whose content it looked at (`factsRead`).
 */
export function judge<D extends Detector>(
  detector: D,
  facts: Change<Facts>,
  options: JudgeOptions<D> = {},
): readonly Symptom[] | undefined {
  const { usual = {}, now = NOW, wallAheadMs = 0, timingTrusted = true, target = "app" } = options;
  const defaults = Object.entries(detector.limits).map(([name, limit]) => [name, limit.default]);
  const watched = aTargetSnapshot({ timingTrusted, facts: watchFacts(detector, facts) });
  const limits = { ...Object.fromEntries(defaults), ...options.limits };
  const symptoms = detector.judge({ now, wallAheadMs, target, known: watched, limits, usual });
  const faults = symptoms?.flatMap(({ evidence }) => evidenceFaults(evidence)) ?? [];
  if (faults.length > 0) throw new Error(`${detector.code}: ${faults.join(", ")}`);
  return symptoms;
}

/** Facts that the detector looked at in any `judge` so far, sorted: its `needs` and `uses`, no more. */
export function factsRead(detector: Detector): readonly FactName[] {
  return [...(reads.get(detector.code) ?? [])].toSorted();
}

/** What a detector says that it reads, sorted: to be compared with `factsRead`. */
export function factsDeclared(detector: Detector): readonly FactName[] {
  return [...detector.needs, ...detector.uses].toSorted();
}

function watchFacts(detector: Detector, facts: Change<Facts>): TargetSnapshot["facts"] {
  const seen = reads.get(detector.code) ?? new Set<FactName>();
  reads.set(detector.code, seen);
  const values = Object.entries(present(facts)).map(([name, value]) => {
    const get = (object: object, key: string | symbol) => {
      seen.add(name as FactName);
      return Reflect.get(object, key) as unknown;
    };
    return [name, new Proxy(value, { get })] as const;
  });
  const declared = new Set<string | symbol>(factsDeclared(detector));
  return new Proxy(knownFacts(Object.fromEntries(values)), {
    get(object, name) {
      if (!declared.has(name)) throw new Error(`${detector.code} reads ${String(name)} undeclared`);
      return Reflect.get(object, name) as unknown;
    },
  });
}
