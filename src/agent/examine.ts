import type { Capability } from "../model/capability.ts";
import { isSettled } from "../model/facts/xray.ts";
import type { FindingsReport } from "../model/finding.ts";
import type { Settings } from "../model/settings.ts";
import { knownValue, type Snapshot, type TargetSnapshot } from "../model/snapshot.ts";
import { AGENT_TARGET } from "../model/target.ts";
import type { Clock, Random } from "../model/time.ts";
import { createNameResolver } from "../net/resolve.ts";
import { type Core, createCore } from "./core.ts";
import type { Evaluated } from "./evaluate.ts";
import type { Identity } from "./identity.ts";
import { hasUnsureDial, lookedAround, planOneLook } from "./plan.ts";

export interface ExamineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly identity: Identity;
  readonly settings: Settings;
  /** How long it looks; a target that is slow to show itself, or sick, is given up to 15 s more. */
  readonly forMs: number;
  /** Ends the look early; what was seen until then is judged. */
  readonly signal: AbortSignal;
}

export interface Examined {
  readonly settings: Settings;
  readonly snapshot: Snapshot;
  readonly report: FindingsReport;
}

/** How much longer it looks where a target has not answered for itself yet: a silent one takes 5 s. */
const PATIENCE_MS = 15_000;
const LOOK_AGAIN_MS = 250;

/** One look with every source, by the daemon's own pipeline, and nobody who tells. */
export async function examine(options: ExamineOptions): Promise<Examined> {
  const { clock, random, identity } = options;
  const ignore = () => undefined;
  // One look knows no waiting: a port that does not listen is judged at once.
  const targets = options.settings.targets.map((target) => ({ ...target, startupMs: 0 }));
  const settings = { ...options.settings, targets };
  const core = createCore({
    clock,
    random,
    settings,
    seed: identity.seed,
    resolver: createNameResolver({ clock }),
    ownListeners: [],
    ...(identity.podAddress === undefined ? {} : { podAddress: identity.podAddress }),
    spreadMs: 0,
    plan: planOneLook,
    observe: ignore,
    hear: ignore,
    change: ignore,
  });
  core.begin();
  try {
    await look(core, options).catch(ignore); // Interrupted: what was seen is judged.
    return { settings, ...core.evaluate() };
  } finally {
    await core.stop();
  }
}

async function look(core: Core, { clock, forMs, signal }: ExamineOptions): Promise<void> {
  const endMs = clock.monotonicMs() + forMs + PATIENCE_MS;
  await clock.sleep(forMs, signal);
  while (clock.monotonicMs() < endMs && !isSettledNow(core.evaluate())) {
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** Each target was X-rayed; what is well was asked for its health, what is sick has a name by now. */
function isSettledNow({ snapshot, report }: Evaluated): boolean {
  return Object.entries(snapshot.targets).every(([name, target]) => {
    if (name === AGENT_TARGET) return true;
    const xray = knownValue(target, "xray");
    if (xray === undefined || !isSettled(xray) || hasUnsureDial(target)) return false;
    return xray.latest.outcome === "failed"
      ? report.active.some((finding) => finding.target === name)
      : lookedAround(xray) && (xray.latest.outcome === "unsupported" || wasAskedForHealth(target));
  });
}

function wasAskedForHealth(target: TargetSnapshot): boolean {
  const isMissing = ({ source, available }: Capability) => source === "health" && !available;
  return knownValue(target, "health") !== undefined || target.capabilities.some(isMissing);
}
