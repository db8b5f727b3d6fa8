import type { ChannelFacts, Implementation, ServerTotals, SocketFacts } from "./channelz.ts";
import type { Expectation } from "./facts/expectation.ts";
import type { ContractFacts, SentMetadata } from "./facts/probes.ts";
import type { MethodShape } from "./facts/services.ts";
import type { DurationBuckets, MethodCounts } from "./method-counts.ts";
import type { ProbePhase } from "./phase.ts";
import type { Reason } from "./reason.ts";
import type { ListenRow, RemoteRows } from "./socket-rows.ts";
import type { SourceName } from "./source-name.ts";
import type { ServingStatus, StatusName } from "./status.ts";
import type { Instant } from "./time.ts";
import type { GoawayFacts, Http2Settings, XrayReport } from "./xray.ts";

interface Base {
  readonly target: string;
  readonly at: Instant;
}

/** A target was configured, or its configuration changed. Made by reconcile, not by a source. */
export interface ConfiguredObservation extends Base {
  readonly source: "config";
  readonly kind: "configured";
  readonly expectation: Expectation;
}

/** A source can, or cannot, see here. Told once per change; never an alarm. */
export interface CapabilityObservation extends Base {
  readonly source: SourceName;
  readonly kind: "capability";
  readonly available: boolean;
  /** Why not; at most 200 characters, masked. */
  readonly reason?: string;
  /** How to switch it on, one imperative sentence. */
  readonly fix?: string;
  /** What is missing, where it is less than the whole source: `List`, `Watch`, `credentials`. */
  readonly part?: string;
}

export interface XrayObservation extends Base {
  readonly source: "preflight";
  readonly kind: "xray";
  readonly report: XrayReport;
}

/** The life of the kept connection. */
export type ConnectionObservation = Base & { readonly source: "connection" } & (
    | {
        readonly kind: "opened";
        readonly address: string;
        readonly localPort?: number;
        readonly connectMs: number;
      }
    | { readonly kind: "settings"; readonly settings: Http2Settings }
    | { readonly kind: "goaway"; readonly goaway: GoawayFacts }
    | {
        readonly kind: "closed";
        readonly by: "us" | "goaway" | "fin" | "rst" | "flood" | "error";
        readonly reason: Reason;
      }
    /** A small unary call, asked to see whether the server answers at all. */
    | { readonly kind: "reply"; readonly outcome: "replied" | "silent"; readonly ms: number }
    /** The server's implementation, as far as texts and shapes tell. */
    | { readonly kind: "implementation"; readonly implementation: Implementation }
  );

export type HealthObservation = Base & { readonly source: "health" } & (
    | {
        readonly kind: "status";
        readonly service: string;
        readonly status: ServingStatus;
        readonly via: "watch" | "check";
        /** The first that a Watch tells: it may have been opened at another replica. */
        readonly isFirst?: true;
      }
    /** An answer that is no status, over a working connection, and no capability. */
    | {
        readonly kind: "error";
        readonly service: string;
        readonly code: StatusName;
        readonly text: string;
        readonly via: "watch" | "check";
      }
    /** What the server knows: names that health lists, methods that reflection describes. */
    | {
        readonly kind: "services";
        readonly health?: readonly string[];
        readonly methods?: readonly MethodShape[];
      }
  );

/** A ledger of our own calls to one target. Each call that ended is in exactly one of the last three. */
export interface OwnCalls {
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Answered UNIMPLEMENTED: counted as a call by some implementations, by others not. */
  readonly unimplemented: number;
}

/** One channelz cycle, normalised by the dialect; our own sockets are left out. */
export interface ChannelzObservation extends Base {
  readonly source: "channelz";
  readonly kind: "cycle";
  readonly implementation: Implementation;
  /** The server that listens on the target's port; absent when none could be told. */
  readonly server?: ServerTotals;
  /** Our own calls to this target, cumulative since the agent began: to be subtracted. */
  readonly ownCalls: OwnCalls;
  /** Server sockets of others in all, as listed; a lower bound where `socketsTruncated`. */
  readonly socketCount: number;
  readonly socketsTruncated: boolean;
  /** Those that this cycle read, within the budget. */
  readonly sockets: readonly SocketFacts[];
  /** Id of the last one that was read in its turn; absent = none was. */
  readonly lastInTurn?: number;
  /** The app's own channels; at most 500. */
  readonly channels: readonly ChannelFacts[];
  readonly durationMs: number;
}

/** One run of a configured probe. */
export interface ProbeObservation extends Base {
  readonly source: "probe";
  readonly kind: "run";
  readonly probe: string;
  readonly method: string;
  readonly outcome: "passed" | "failed" | "unsupported";
  readonly phase?: ProbePhase;
  readonly reason?: Reason;
  readonly status?: StatusName;
  readonly statusText?: string;
  readonly durationMs: number;
  readonly firstMessageMs?: number;
  readonly phaseMs: XrayReport["phaseMs"];
  readonly deadlineMs: number;
  readonly connection: "kept" | "fresh";
  /** The first run over a new channel pays for the connection. */
  readonly isFirstOnChannel: boolean;
  /** How late the run began, against its schedule. */
  readonly scheduleLagMs: number;
  readonly assertion?: string;
  readonly actual?: string;
  /** Encoding offered and accepted, sizes in and out. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly metadata?: SentMetadata;
  readonly contract?: ContractFacts;
  readonly address?: string;
  readonly peer?: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** One lookup, with the expansion of the search list that was used. */
export interface DnsObservation extends Base {
  readonly source: "dns";
  readonly kind: "lookup";
  readonly name: string;
  readonly outcome: "answered" | "failed";
  readonly cause?: "nxdomain" | "no-data" | "servfail" | "refused" | "timeout";
  /** Sorted, without duplicates; at most 1000. */
  readonly addresses: readonly string[];
  /** The lowest TTL of the records in this answer. */
  readonly ttlMs?: number;
  readonly triedNames: readonly string[];
  readonly durationMs: number;
  /** The type of address that nobody answered for, beside an answer for the other: it took the time. */
  readonly unanswered?: "A" | "AAAA";
}

/** One read of the socket table, on behalf of one target. */
export interface KernelObservation extends Base {
  readonly source: "kernel";
  readonly kind: "read";
  readonly costMs: number;
  /** Role app: LISTEN rows that cover the target's port. */
  readonly listeners: readonly ListenRow[];
  /** What listens in the pod at all, `address:port`, sorted; at most 40. */
  readonly listening: readonly string[];
  /** False where no row but our own exists: another network namespace. */
  readonly sharesNetwork: boolean;
  /** Role app: rows of others on the target's port. */
  readonly inbound: {
    readonly established: number;
    /** Established, and not yet accepted by the app (inode 0). */
    readonly unaccepted: number;
    readonly synReceived: number;
    /** Peers on loopback. */
    readonly loopbackClients: number;
    readonly receiveQueueBytes: number;
    /** Of those, on rows that the app has accepted. */
    readonly acceptedReceiveQueueBytes?: number;
    readonly sendQueueBytes: number;
    readonly zeroWindow: number;
  };
  /** The app-side row of our kept connection, where it is found. */
  readonly keptReceiveQueueBytes?: number;
  /** Role upstream: rows of the app towards its addresses and port. */
  readonly remotes: readonly RemoteRows[];
  /** On the target that owns the pod: rows towards remotes of no configured upstream; at most 100. */
  readonly otherRemotes: readonly RemoteRows[];
  /** TcpExt ListenOverflows and ListenDrops of the whole network namespace. */
  readonly overflows?: number;
  readonly drops?: number;
  readonly surroundings: {
    /** A row of a mesh proxy listens: 15001, 15006, 15008, 4140 or 4143. */
    readonly mesh: boolean;
    readonly hostNetwork: boolean;
    readonly podAddresses: readonly string[];
    /** The addresses of `loopback-only`'s question: the pod's, as the downward API says. */
    readonly podAddress?: string;
  };
  /** False where every row reports inode 0, or no queue lengths (sandboxed runtimes). */
  readonly tellsAcceptance: boolean;
}

/** The status codes and in-flight calls that the app itself reports, whatever the family's names. */
export interface MetricsObservation extends Base {
  readonly source: "metrics";
  readonly kind: "scrape";
  /** `go-grpc-middleware`, `grpc-otel` …; one per family found, first the one whose counts are told. */
  readonly families: readonly string[];
  /** Cumulative, over all methods. */
  readonly started?: number;
  /** Calls running now, where the family tells them by themselves. */
  readonly inFlight?: number;
  readonly handledByCode: Readonly<Partial<Record<StatusName, number>>>;
  /** Of the handled calls, those on which the server had sent something; absent = not told by code. */
  readonly answered?: Readonly<Partial<Record<StatusName, number>>>;
  /** Of those UNIMPLEMENTED, the calls of methods that nobody registered; absent = not counted. */
  readonly unregistered?: number;
  /** Cumulative histogram of server call durations by code: upper bounds in ms, and counts. */
  readonly durations: Readonly<Partial<Record<StatusName, DurationBuckets>>>;
  /** Cumulative handled calls by method and code; at most 200 methods. */
  readonly methods: readonly MethodCounts[];
  readonly openFds?: number;
  readonly maxFds?: number;
  readonly processStartedAt?: Instant;
}

export interface FilesObservation extends Base {
  readonly source: "files";
  readonly kind: "certificate";
  readonly path: string;
  readonly fingerprint?: string;
  readonly notBefore?: Instant;
  readonly notAfter?: Instant;
  readonly changedAt?: Instant;
  /** Algorithm of its key: `rsa`, `ec`, `ed25519`. */
  readonly keyType?: string;
  readonly error?: string;
}

/** The drain of the app, told by a signal or inferred. */
export interface DrainObservation extends Base {
  readonly source: "drain";
  readonly kind: "signal";
  readonly by: "command" | "sigterm";
}

/** A fact about the watched world. */
export type Observation =
  | ConfiguredObservation
  | CapabilityObservation
  | XrayObservation
  | ConnectionObservation
  | HealthObservation
  | ChannelzObservation
  | ProbeObservation
  | DnsObservation
  | KernelObservation
  | MetricsObservation
  | FilesObservation
  | DrainObservation;
