import { DETECTORS } from "../detectors/index.ts";
import type { DrillOrder } from "../findings/drill.ts";
import { createTracker, type Tracker } from "../findings/tracker.ts";
import { type FilesTold, type Keep, keepWhole } from "../grpc/keep-whole.ts";
import { createKeptConnections, type KeptConnections } from "../grpc/kept-connections.ts";
import { createOwnCalls, type OwnCallsLedger } from "../grpc/own-calls.ts";
import { createSocketTable } from "../host/socket-table.ts";
import type { AgentEvent } from "../model/event.ts";
import type { FindingChange } from "../model/finding.ts";
import type { Observation } from "../model/observation.ts";
import { present } from "../model/present.ts";
import type { Settings } from "../model/settings.ts";
import type { Target } from "../model/target.ts";
import { type Clock, type Random, untilWholeSecondMs } from "../model/time.ts";
import { watchOwnPorts } from "../net/own-ports.ts";
import type { NameResolver } from "../net/resolve.ts";
import { createScheduler, type Scheduler } from "../schedule/scheduler.ts";
import { closeProbes } from "../sources/probe.ts";
import type { Tools } from "../sources/source.ts";
import { createStore, type Store } from "../store/store.ts";
import { createEvaluation, type Evaluated, type Evaluation } from "./evaluate.ts";
import { expectationOf } from "./expectation.ts";
import { runJob } from "./observing.ts";
import { plan } from "./plan.ts";
import { createReconciler } from "./reconcile.ts";

export interface CoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  /** The pod's UID or name: pods of one deployment do not fire together. */
  readonly seed: string;
  readonly resolver: NameResolver;
  readonly podAddress?: string;
  /** Processor time of this process so far; ms. Absent: what a read costs is the time that it takes. */
  readonly cpuMs?: () => number;
  readonly ownListeners: readonly number[];
  /** Default: the daemon's. */
  readonly plan?: typeof plan;
  /** First runs of jobs are spread over this time; 0 for a one-shot. */
  readonly spreadMs?: number;
  observe(observation: Observation): void;
  hear(event: AgentEvent): void;
  change(change: FindingChange): void;
}

/** The pipeline from sources to findings, without those who tell. */
export interface Core {
  readonly tracker: Tracker;
  /** Sets it going: from now on it observes and tells. */
  begin(): void;
  latest(): Evaluated;
  /** Judges now, whatever the cadence. */
  evaluate(): Evaluated;
  /** An event of the agent: to the store and to the sinks. */
  hear(event: AgentEvent): void;
  settings(): Settings;
  /** Runs on with other settings; what did not change keeps its connections and history. */
  apply(settings: Settings): void;
  /** The app is going down: nothing of ours may keep it. */
  drain(by: "command" | "sigterm"): void;
  /** Sends a marked, false finding through tracker and sinks. */
  drill(order: DrillOrder): Drilled;
  stop(): Promise<void>;
}

/** How a drill was taken. */
export type Drilled =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly faults: readonly string[] };

const COALESCE_MS = 50;
/** An evaluation that is so late means that nothing of ours ran meanwhile. */
const STALLED_MS = 500;

/** Builds the pipeline; nothing moves before `begin`. */
export function createCore(options: CoreOptions): Core {
  return new Pipeline(options);
}

class Pipeline implements Core {
  readonly tracker = createTracker({ detectors: DETECTORS });
  readonly #options: CoreOptions;
  readonly #stopping = new AbortController();
  readonly #ownPorts = watchOwnPorts();
  readonly #store: Store;
  readonly #connections: KeptConnections;
  readonly #scheduler: Scheduler;
  readonly #evaluation: Evaluation;
  readonly #tools: Tools;
  readonly #soon: () => void;
  #settings: Settings;

  constructor(options: CoreOptions) {
    const { clock, random, resolver, seed, spreadMs } = options;
    const { signal } = this.#stopping;
    this.#options = options;
    this.#settings = options.settings;
    this.#store = createStore({ startedAt: clock.now() });
    const ownCalls = createOwnCalls();
    const observe = (observation: Observation) => this.#observe(observation);
    const tell = (told: FilesTold) => this.hear({ kind: "credentials", at: clock.now(), ...told });
    const keep = keepWhole({ clock, tell });
    this.#connections = createKeptConnections({ clock, random, observe, ownCalls, resolver, keep });
    this.#tools = this.#createTools(ownCalls, keep);
    const tools = this.#tools;
    const targetOf = (name: string) =>
      this.#settings.targets.find((target) => target.name === name);
    this.#scheduler = createScheduler({
      clock,
      random,
      seed,
      ...(spreadMs === undefined ? {} : { spreadMs }),
      run: (job, context) => runJob(job, context, { tools, targetOf, observe }),
      event: (event) => this.hear(event),
    });
    this.#evaluation = this.#createEvaluation();
    const ring = () => void this.evaluate();
    this.#soon = createBell({ clock, signal, delayMs: COALESCE_MS, ring });
  }

  begin(): void {
    const { clock } = this.#options;
    this.#register([]);
    const ring = (lateMs: number) => {
      // What was seen meanwhile came late to us: it must not be judged before that is known.
      if (lateMs > STALLED_MS) this.hear({ kind: "stalled", at: clock.now(), lateMs });
      this.#evaluation.tick();
    };
    void everySecond({ clock, signal: this.#stopping.signal, ring });
  }

  settings(): Settings {
    return this.#settings;
  }

  latest(): Evaluated {
    return this.#evaluation.latest();
  }

  evaluate(): Evaluated {
    return this.#evaluation.evaluate();
  }

  hear(event: AgentEvent): void {
    this.#options.hear(event);
    if (this.#store.hear(event)) this.#soon();
  }

  apply(settings: Settings): void {
    const before = this.#settings.targets;
    this.#settings = settings;
    this.#register(before);
    void closeProbes(this.#tools, new Set(settings.probes.map(({ name }) => name)));
    this.evaluate();
  }

  drain(by: "command" | "sigterm"): void {
    const at = this.#options.clock.now();
    for (const { name } of this.#settings.targets.filter(({ role }) => role === "app")) {
      this.#connections.drain(name);
      this.#observe({ source: "drain", kind: "signal", target: name, at, by });
    }
  }

  drill(order: DrillOrder): Drilled {
    const { clock } = this.#options;
    const moment = { now: clock.now(), monotonicMs: clock.monotonicMs() };
    const change = this.tracker.drill(order, this.#settings, moment);
    if ("refused" in change) return { ok: false, faults: [change.refused] };
    this.#options.change(change);
    const { code, target } = change.finding;
    return { ok: true, text: `a false ${code} on ${target} was sent; it resolves in a minute` };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#scheduler.stopAll();
    await closeProbes(this.#tools);
    await this.#connections.close();
    this.#ownPorts.stop();
  }

  /** A capability is told when it changed; sources say it with each run. */
  #observe(observation: Observation): void {
    if (observation.kind === "xray" && observation.report.settings !== undefined) {
      this.#connections.heard(observation.target);
    }
    const isNews = this.#store.append(observation);
    if (isNews) this.#soon();
    if (isNews || observation.kind !== "capability") this.#options.observe(observation);
  }

  #createTools(ownCalls: OwnCallsLedger, keep: Keep): Tools {
    const { clock, random, resolver, ownListeners, podAddress, cpuMs } = this.#options;
    return {
      socketTable: createSocketTable({ clock, ...present({ podAddress, cpuMs }) }),
      clock,
      random,
      resolver,
      ownCalls,
      keep,
      ownListeners,
      ownPorts: () => this.#ownPorts.ports,
      keptConnection: (target, signal) => this.#connections.get(target, signal),
    };
  }

  #createEvaluation(): Evaluation {
    const reconciler = createReconciler(this.#scheduler);
    return createEvaluation({
      clock: this.#options.clock,
      store: this.#store,
      tracker: this.tracker,
      detectors: DETECTORS,
      plan: this.#options.plan ?? plan,
      settings: () => this.#settings,
      hear: (event) => this.hear(event),
      change: this.#options.change,
      reconcile: (jobs) => {
        if (!this.#stopping.signal.aborted) reconciler.reconcile(jobs);
      },
      epoch: (target) => this.#connections.release(target),
      dead: (target) => this.#connections.renew(target),
    });
  }

  /** Tells the store what is watched now, and what is expected of it. */
  #register(before: readonly Target[]): void {
    const { targets } = this.#settings;
    const at = this.#options.clock.now();
    const isGone = (old: Target) => !targets.some((target) => target.name === old.name);
    for (const { name } of before.filter(isGone)) {
      this.#store.unregister(name);
      void this.#connections.forget(name);
    }
    for (const target of targets) {
      this.#store.register(target, at);
      const expectation = expectationOf(target, this.#settings);
      this.#observe({ source: "config", kind: "configured", target: target.name, at, expectation });
    }
  }
}

interface Bell {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Rings once, `delayMs` after the first of any number of calls. */
function createBell({
  clock,
  delayMs,
  signal,
  ring,
}: Bell & { readonly delayMs: number; readonly ring: () => void }): () => void {
  let isWaiting = false;
  const later = async (): Promise<void> => {
    try {
      await clock.sleep(delayMs, signal);
    } catch {
      return; // Stopped: nobody waits for the answer any more.
    }
    isWaiting = false;
    ring();
  };
  return () => {
    if (isWaiting || signal.aborted) return;
    isWaiting = true;
    void later();
  };
}

/** Rings now, and at each whole second until the signal; says how late it is. */
async function everySecond({
  clock,
  signal,
  ring,
}: Bell & { readonly ring: (lateMs: number) => void }): Promise<void> {
  let dueMs = clock.monotonicMs();
  while (!signal.aborted) {
    ring(clock.monotonicMs() - dueMs);
    const nowMs = clock.monotonicMs();
    const ms = untilWholeSecondMs(nowMs);
    dueMs = nowMs + ms;
    try {
      await clock.sleep(ms, signal);
    } catch {
      return; // Stopped while asleep.
    }
  }
}
