import type { Capability } from "../model/capability.ts";
import type { FactName } from "../model/facts/index.ts";
import type { CapabilityObservation } from "../model/observation.ts";
import type { SourceName } from "../model/source-name.ts";
import type { Target } from "../model/target.ts";

const MOST_CAPABILITIES = 40;
/** What is missing is asked for again after an hour: told again then, it is missing for another. */
const ASKED_AGAIN_MS = 3_600_000;

/** What a new process may answer otherwise. The others belong to the pod. */
const OF_THE_PROCESS: ReadonlySet<SourceName> = new Set([
  "health",
  "channelz",
  "preflight",
  "metrics",
]);

/** The capabilities with what was told; the same list if it is no news. */
export function told(
  list: readonly Capability[],
  observation: CapabilityObservation,
): readonly Capability[] {
  const { source, part, available, reason, fix, at } = observation;
  const isOf = (capability: Capability) => capability.source === source && capability.part === part;
  const last = list.find(isOf);
  const isSame = last?.available === available && last.reason === reason;
  if (isSame && (available || at - last.since < ASKED_AGAIN_MS)) return list;
  const capability: Capability = {
    source,
    available,
    since: at,
    ...(part === undefined ? {} : { part }),
    ...(reason === undefined ? {} : { reason }),
    ...(fix === undefined ? {} : { fix }),
  };
  return [...list.filter((other) => !isOf(other)), capability].slice(-MOST_CAPABILITIES);
}

/** A source that is missing as a whole. */
export function missing(
  list: readonly Capability[],
  source: SourceName | undefined,
): Capability | undefined {
  return list.find(
    (capability) =>
      capability.source === source && capability.part === undefined && !capability.available,
  );
}

/** The source told a fact: whatever was said before, it can see. */
export function seenBy(
  list: readonly Capability[],
  source: SourceName | undefined,
  at: number,
): readonly Capability[] {
  const gone = missing(list, source);
  if (gone === undefined || at < gone.since) return list;
  const back: Capability = { source: gone.source, available: true, since: at };
  return list.map((capability) => (capability === gone ? back : capability));
}

/** A connection opened: what was missing for want of our certificate is missing no more. */
export function letIn(list: readonly Capability[]): readonly Capability[] {
  const kept = list.filter(({ reason }) => reason !== "client_certificate_required");
  return kept.length === list.length ? list : kept;
}

/** What outlives the watched process. */
export function afterEpoch(list: readonly Capability[]): readonly Capability[] {
  const kept = list.filter(({ source }) => !OF_THE_PROCESS.has(source));
  return kept.length === list.length ? list : kept;
}

/** Why nobody can know this fact of this target, and what would change that. */
export interface Absence {
  readonly reason: string;
  readonly fix?: string;
}

/** What the configuration itself rules out: an address that is no name, a source that is not asked. */
export function ruledOut(fact: FactName, target: Target): Absence | undefined {
  return RULED_OUT[fact]?.(target);
}

const RULED_OUT: Partial<Record<FactName, (target: Target) => Absence | undefined>> = {
  resolution: notResolved,
  serverCalls: withoutChannelz,
  sockets: withoutChannelz,
  channels: withoutChannelz,
  appCalls: ({ metrics }) => (metrics === undefined ? NO_METRICS : undefined),
  appProcess: ({ metrics }) => (metrics === undefined ? NO_METRICS : undefined),
  servedFile: ({ tls }) =>
    tls?.mode === "tls" && tls.servedFrom !== undefined ? undefined : NO_CERTIFICATE_FILE,
};

const NO_METRICS: Absence = {
  reason: "no metrics endpoint is configured",
  fix: "Set `metrics:` of the target to the URL of the app's Prometheus endpoint.",
};
const NO_CERTIFICATE_FILE: Absence = {
  reason: "no certificate file is configured",
  fix: "Mount the server's certificate here and set `tls.servedFrom`.",
};
const NO_CHANNELZ: Absence = {
  reason: "channelz is switched off",
  fix: "Set `channelz:` of the target.",
};

function withoutChannelz({ channelz }: Target): Absence | undefined {
  return channelz === undefined ? NO_CHANNELZ : undefined;
}

function notResolved({ endpoint }: Target): Absence | undefined {
  if (endpoint.kind === "unix") return { reason: "the address is a unix socket" };
  if (endpoint.kind === "ip") return { reason: "the address is a literal" };
  return endpoint.host.toLowerCase() === "localhost"
    ? { reason: "localhost is not looked up" }
    : undefined;
}
