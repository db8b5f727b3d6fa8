import type { Detector } from "../detectors/detector.ts";
import type { FactName, Facts } from "../model/facts/index.ts";
import type { Known, TargetSnapshot } from "../model/snapshot.ts";
import { knownValue } from "../model/snapshot.ts";
import type { Instant } from "../model/time.ts";

/** Why a judgement cannot be made, and what would make it possible. */
export interface Obstacle {
  readonly because: string;
  readonly fix?: string;
  /** Waiting for it is in vain. */
  readonly isUnavailable: boolean;
}

/** The longest usual cadence: what was never observed by then is not looked for. */
const EVERYONE_LOOKED_MS = 60_000;

/** What a reader of the findings document calls each fact. */
const FACT_WORDS: Readonly<Record<FactName, string>> = {
  expectation: "the configuration of the target",
  reach: "a connect to the target",
  xray: "a preflight of the target",
  resolution: "a lookup of the target's name",
  listeners: "the pod's listening sockets",
  surroundings: "the pod's network",
  outbound: "the app's outgoing connections",
  kept: "the kept connection",
  health: "the health of the target",
  services: "the services of the target",
  serverCalls: "channelz of the server's calls",
  sockets: "channelz of the server's connections",
  channels: "channelz of the app's channels",
  appCalls: "the app's own metrics",
  appProcess: "the app's own process metrics",
  probes: "a probe of the target",
  servedFile: "the certificate file",
  peers: "the app's connections to the upstream",
  upstreamCalls: "the app's calls to the upstream",
  self: "the agent's own condition",
  crashes: "the agent's own detectors",
  configState: "the agent's configuration",
};

/** Facts that the other role has only where it was configured so: without them a code does not apply. */
const OF_ROLE: Readonly<Record<Facts["expectation"]["role"], readonly FactName[]>> = {
  app: ["listeners", "serverCalls", "sockets", "channels", "appCalls", "servedFile"],
  upstream: ["peers", "upstreamCalls"],
};

/** Codes about the way between pods, which a mesh proxy takes over. */
const BLIND_IN_MESH: ReadonlySet<string> = new Set(["dns-stale", "l4-pinning", "loopback-only"]);
const MESH_LAYERS: ReadonlySet<string> = new Set(["tcp", "tls", "http2"]);

/** What the rows of the socket table tell of the app; on the host's network they may be anybody's. */
const OF_ROWS: ReadonlySet<FactName> = new Set(["outbound", "peers"]);
const ON_HOST: Obstacle = {
  because: "the pod is on its host's network, which it shares with other processes",
  isUnavailable: true,
};

/**
 * Whether a code can be judged on targets of this role at all. Where the role is unknown it is
 * taken to apply: an unjudged line too many says more than one too few.
 */
export function appliesTo(detector: Detector, target: TargetSnapshot): boolean {
  const role = knownValue(target, "expectation")?.role;
  if (role === undefined) return true;
  const foreign = OF_ROLE[role === "app" ? "upstream" : "app"];
  const isForeign = (name: FactName) =>
    foreign.includes(name) && target.facts[name]?.state !== "known";
  if (detector.needs.some(isForeign)) return false;
  return detector.needsAny.length === 0 || !detector.needsAny.every(isForeign);
}

/** What was not configured, without which a code accuses nobody. */
function unstated({ expects }: Detector, target: TargetSnapshot): Obstacle | undefined {
  const expectation = knownValue(target, "expectation");
  if (expects === undefined || expectation === undefined) return undefined;
  if (expects.isStated(expectation)) return undefined;
  const because = `not configured: ${expects.what}`;
  return { because, fix: `Configure ${expects.what}.`, isUnavailable: true };
}

/** What the configuration, the state of the target and its surroundings forbid to judge. */
export function standingObstacle(
  detector: Detector,
  target: TargetSnapshot,
  hasMesh: boolean,
): Obstacle | undefined {
  const missing = unstated(detector, target);
  if (missing !== undefined) return missing;
  if (target.state === "waiting" && !detector.whileWaiting)
    return { because: "waiting for the port to listen", isUnavailable: false };
  if (detector.code === "loopback-only" && isOnHost(target)) return ON_HOST;
  return hasMesh ? behindMesh(detector, target) : undefined;
}

function behindMesh(detector: Detector, target: TargetSnapshot): Obstacle | undefined {
  const isUpstream = knownValue(target, "expectation")?.role === "upstream";
  if (!BLIND_IN_MESH.has(detector.code) && !(isUpstream && MESH_LAYERS.has(detector.layer)))
    return undefined;
  return { because: "a mesh proxy carries these connections", isUnavailable: true };
}

/** Why a detector cannot be asked; `undefined` where it was, and declined for its own reasons. */
export function missingFacts(
  detector: Detector,
  target: TargetSnapshot,
  now: Instant,
): Obstacle | undefined {
  const isOverdue = now - target.epochSince > EVERYONE_LOOKED_MS;
  const missingFact = (name: FactName) =>
    OF_ROWS.has(name) && isOnHost(target)
      ? ON_HOST
      : obstacleOf(name, target.facts[name], isOverdue);
  const isUnknown = (name: FactName) => target.facts[name]?.state !== "known";
  const missing = detector.needs.find(isUnknown);
  if (missing !== undefined) return missingFact(missing);
  if (detector.needsAny.length > 0 && detector.needsAny.every(isUnknown)) {
    const obstacles = detector.needsAny.map(missingFact);
    const fix = obstacles.find((obstacle) => obstacle.fix !== undefined)?.fix;
    return {
      because: [...new Set(obstacles.map((obstacle) => obstacle.because))].join("; "),
      ...(fix === undefined ? {} : { fix }),
      isUnavailable: obstacles.every((obstacle) => obstacle.isUnavailable),
    };
  }
  if (detector.isTiming && !target.timingTrusted) return untrustedTiming(target, now);
  return undefined;
}

function isOnHost(target: TargetSnapshot): boolean {
  return knownValue(target, "surroundings")?.hostNetwork === true;
}

/** A target that has just begun is slow by nature (store: timing settles in the same time). */
const SETTLING_MS = 30_000;

function untrustedTiming({ epochSince }: TargetSnapshot, now: Instant): Obstacle {
  const isNew = Math.abs(now - epochSince) < SETTLING_MS;
  const because = isNew
    ? `timing is judged from ${SETTLING_MS / 1000} s after the first look on`
    : "the agent's own timing is not trusted now";
  return { because, isUnavailable: false };
}

function obstacleOf(
  name: FactName,
  known: Known<unknown> | undefined,
  isOverdue: boolean,
): Obstacle {
  const words = FACT_WORDS[name];
  if (known?.state === "unavailable") {
    const { reason, fix } = known;
    return { because: reason, ...(fix === undefined ? {} : { fix }), isUnavailable: true };
  }
  const isStale = known?.state === "unknown" && known.why === "stale";
  const because = isStale ? `${words}: the last look is too old` : `${words}: not yet observed`;
  return { because, isUnavailable: !isStale && isOverdue };
}
