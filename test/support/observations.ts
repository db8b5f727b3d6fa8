import type { Implementation, ServerTotals, SocketFacts } from "../../src/model/channelz.ts";
import type { AgentEvent } from "../../src/model/event.ts";
import type {
  ChannelzObservation,
  DnsObservation,
  KernelObservation,
  MetricsObservation,
  Observation,
  ProbeObservation,
} from "../../src/model/observation.ts";
import type { Snapshot, TargetSnapshot } from "../../src/model/snapshot.ts";
import type { Target } from "../../src/model/target.ts";
import type { Instant } from "../../src/model/time.ts";
import type { XrayReport } from "../../src/model/xray.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { aDial, anXrayReport, NOW } from "./snapshot.ts";

/** Observations of a healthy server `app` on port 50051, made `at` seconds after NOW. */

export const APP: Target = {
  name: "app",
  role: "app",
  address: "localhost:50051",
  endpoint: { kind: "name", host: "localhost", port: 50051 },
  metadata: [],
  health: { services: [""], expect: "SERVING" },
  channelz: { everyMs: 10_000 },
  metrics: "http://localhost:9090/metrics",
  startupMs: 600_000,
};

export const UPSTREAM: Target = {
  ...APP,
  name: "inventory",
  role: "upstream",
  address: "dns:///inventory.shop.svc:50051",
  endpoint: { kind: "name", host: "inventory.shop.svc", port: 50051 },
};

/** An instant `seconds` after NOW. */
export function after(seconds: number): Instant {
  return NOW + seconds * 1000;
}

type Of<S extends string, K extends string> = Extract<Observation, { source: S; kind: K }>;
/** Some keys; `undefined` removes one that the healthy report has. */
type WithoutSome<T> = { readonly [K in keyof T]?: T[K] | undefined };
type Change<O> = Partial<Omit<O, "source" | "kind">>;

export function anXrayAt(
  seconds: number,
  change: WithoutSome<XrayReport> = {},
): Of<"preflight", "xray"> {
  const at = after(seconds);
  const report = anXrayReport({ ...change, at });
  return { source: "preflight", kind: "xray", target: "app", at, report };
}

/** An X-ray that came no further than a refused connect. */
export function aRefusalAt(seconds: number, address = "127.0.0.1:50051") {
  const at = after(seconds);
  const dials = [
    aDial({ at, address, outcome: "refused", errno: "ECONNREFUSED", connectMs: undefined }),
  ];
  return anXrayAt(seconds, {
    outcome: "failed",
    phase: "tcp",
    reason: "refused",
    dials,
    settings: undefined,
    spoke: undefined,
    rpc: undefined,
    localPort: undefined,
  });
}

export function anOpeningAt(seconds: number): Of<"connection", "opened"> {
  return {
    source: "connection",
    kind: "opened",
    target: "app",
    at: after(seconds),
    address: "127.0.0.1:50051",
    localPort: 40_000,
    connectMs: 1,
  };
}

export function aClosingAt(
  seconds: number,
  change: Change<Of<"connection", "closed">> = {},
): Of<"connection", "closed"> {
  return {
    source: "connection",
    kind: "closed",
    target: "app",
    at: after(seconds),
    by: "fin",
    reason: "connection_closed",
    ...change,
  };
}

export function aGoawayAt(seconds: number, debugText = ""): Of<"connection", "goaway"> {
  const at = after(seconds);
  const goaway = { at, code: 0, debugText };
  return { source: "connection", kind: "goaway", target: "app", at, goaway };
}

export function aReplyAt(
  seconds: number,
  outcome: "replied" | "silent" = "replied",
): Of<"connection", "reply"> {
  return { source: "connection", kind: "reply", target: "app", at: after(seconds), outcome, ms: 2 };
}

export function aStatusAt(
  seconds: number,
  change: Change<Of<"health", "status">> = {},
): Of<"health", "status"> {
  return {
    source: "health",
    kind: "status",
    target: "app",
    at: after(seconds),
    service: "",
    status: "SERVING",
    via: "watch",
    ...change,
  };
}

export function aHealthErrorAt(
  seconds: number,
  change: Change<Of<"health", "error">> = {},
): Of<"health", "error"> {
  return {
    source: "health",
    kind: "error",
    target: "app",
    at: after(seconds),
    service: "",
    code: "UNAVAILABLE",
    text: "no upstream",
    via: "check",
    ...change,
  };
}

export function aServer(change: Partial<ServerTotals> = {}): ServerTotals {
  return {
    id: 1,
    callsStarted: 0,
    callsSucceeded: 0,
    callsFailed: 0,
    listens: ["[::]:50051"],
    ...change,
  };
}

export function aSocket(id: number, change: Partial<SocketFacts> = {}): SocketFacts {
  return {
    id,
    peer: "10.0.0.7",
    streamsStarted: 0,
    streamsSucceeded: 0,
    streamsFailed: 0,
    openStreams: 0,
    messagesSent: 0,
    messagesReceived: 0,
    keepAlivesSent: 0,
    ...change,
  };
}

export const NO_OWN_CALLS = { started: 0, succeeded: 0, failed: 0, unimplemented: 0 };

export function aCycleAt(
  seconds: number,
  change: Change<ChannelzObservation> = {},
): ChannelzObservation {
  const implementation: Implementation = "go";
  return {
    source: "channelz",
    kind: "cycle",
    target: "app",
    at: after(seconds),
    implementation,
    server: aServer(),
    ownCalls: NO_OWN_CALLS,
    socketCount: change.sockets?.length ?? 0,
    socketsTruncated: false,
    sockets: [],
    channels: [],
    durationMs: 5,
    ...change,
  };
}

export function aReadAt(
  seconds: number,
  change: Change<KernelObservation> = {},
): KernelObservation {
  return {
    source: "kernel",
    kind: "read",
    target: "app",
    at: after(seconds),
    costMs: 2,
    listeners: [{ address: "::", port: 50051, queued: 0, inode: 100 }],
    listening: ["[::]:50051"],
    sharesNetwork: true,
    inbound: {
      established: 1,
      unaccepted: 0,
      synReceived: 0,
      loopbackClients: 0,
      receiveQueueBytes: 0,
      sendQueueBytes: 0,
      zeroWindow: 0,
    },
    remotes: [],
    otherRemotes: [],
    surroundings: { mesh: false, hostNetwork: false, podAddresses: ["10.0.0.5"] },
    tellsAcceptance: true,
    ...change,
  };
}

export function aLookupAt(
  seconds: number,
  addresses: readonly string[],
  change: Change<DnsObservation> = {},
): DnsObservation {
  return {
    source: "dns",
    kind: "lookup",
    target: "inventory",
    at: after(seconds),
    name: "inventory.shop.svc",
    outcome: "answered",
    addresses,
    triedNames: ["inventory.shop.svc"],
    durationMs: 3,
    ...change,
  };
}

export function aScrapeAt(
  seconds: number,
  change: Change<MetricsObservation> = {},
): MetricsObservation {
  return {
    source: "metrics",
    kind: "scrape",
    target: "app",
    at: after(seconds),
    families: ["go-grpc-middleware"],
    handledByCode: {},
    durations: {},
    methods: [],
    ...change,
  };
}

export function aRunAt(seconds: number, change: Change<ProbeObservation> = {}): ProbeObservation {
  return {
    source: "probe",
    kind: "run",
    target: "app",
    at: after(seconds),
    probe: "get-order",
    method: "order.OrderService/GetOrder",
    outcome: "passed",
    durationMs: 12,
    phaseMs: {},
    deadlineMs: 500,
    connection: "kept",
    isFirstOnChannel: false,
    scheduleLagMs: 0,
    requestBytes: 8,
    responseBytes: 80,
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    isSampled: false,
    ...change,
  };
}

/** A store that watches the app since NOW, and what it was given. */
export function aStore(...observations: readonly Observation[]): Store {
  const store = createStore({ startedAt: NOW });
  store.register(APP, NOW);
  store.register(UPSTREAM, NOW);
  for (const observation of observations) store.append(observation);
  return store;
}

/** One target of a snapshot that is there. */
export function targetIn(snapshot: Snapshot, name = "app"): TargetSnapshot {
  const target = snapshot.targets[name];
  if (target === undefined) throw new Error(`${name} is not in the snapshot`);
  return target;
}

/** The agent's own event, `seconds` after NOW. */
export function aSelfEventAt(
  seconds: number,
  change: Partial<Extract<AgentEvent, { kind: "self" }>> = {},
): AgentEvent {
  return {
    kind: "self",
    at: after(seconds),
    lagP99Ms: 3,
    windowMs: 15_000,
    rssBytes: 60_000_000,
    ...change,
  };
}
