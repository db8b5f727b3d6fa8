import type { FindingsReport } from "../model/finding.ts";
import type { Settings } from "../model/settings.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Clock, Random } from "../model/time.ts";
import { createNameResolver } from "../net/resolve.ts";
import { createCore } from "./core.ts";
import type { Identity } from "./identity.ts";

export interface ExamineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly identity: Identity;
  readonly settings: Settings;
  /** How long it looks. */
  readonly forMs: number;
  /** Ends the look early; what was seen until then is judged. */
  readonly signal: AbortSignal;
}

export interface Examined {
  readonly settings: Settings;
  readonly snapshot: Snapshot;
  readonly report: FindingsReport;
}

/** One look with every source, by the daemon's own pipeline, and nobody who tells. */
export async function examine(options: ExamineOptions): Promise<Examined> {
  const { clock, random, identity, forMs, signal } = options;
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
    observe: ignore,
    hear: ignore,
    change: ignore,
  });
  core.begin();
  try {
    await clock.sleep(forMs, signal).catch(ignore); // Interrupted: what was seen is judged.
    return { settings, ...core.evaluate() };
  } finally {
    await core.stop();
  }
}
