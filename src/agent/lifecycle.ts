import { tracingWarnings } from "../config/tracing.ts";
import { type SelfWatch, watchSelf } from "../host/self.ts";
import type { AgentEvent } from "../model/event.ts";
import type { FindingChange } from "../model/finding.ts";
import type { ProcessReading } from "../model/process-reading.ts";
import type { ListenAddress, Settings } from "../model/settings.ts";
import { hostPort } from "../model/target.ts";
import type { Clock, Random } from "../model/time.ts";
import { createNameResolver } from "../net/resolve.ts";
import { type FanOut, fanOut } from "../sinks/fan-out.ts";
import type { LogStream } from "../sinks/log-stream.ts";
import { type Core, createCore } from "./core.ts";
import { type Identity } from "./identity.ts";
import { type ConfigurationFile, followConfiguration, type Reload } from "./reload.ts";
import { type Servers, startServers } from "./servers.ts";
import { createSinks, type Sinks } from "./sinks.ts";
import { createSnapshotFiles, type SnapshotFiles } from "./snapshot-files.ts";

export interface AgentOptions {
  readonly settings: Settings;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: LogStream;
  readonly colour: boolean;
  /** Of a line of the log's text format, in characters. */
  readonly width: number;
  readonly readProcess: () => ProcessReading;
  /** Processor time of this process so far; ms. */
  readonly cpuMs: () => number;
  /** Hears every transition besides the sinks. */
  readonly heard?: (change: FindingChange) => void;
  /** The file behind the settings; absent = there is nothing to reload. */
  readonly configuration?: ConfigurationFile;
  /** Calls the listener at each SIGHUP, until the returned function is called. */
  readonly onHangup: (listener: () => void) => () => void;
}

export interface Agent {
  readonly core: Core;
  /** Flushes findings and spans, and ends; within 1.5 s. */
  stop(signal: string): Promise<void>;
}

const SELF_MS = 15_000;
/** A pod's grace may be over: what is to be told must be told in this time. */
const FLUSH_MS = 1_200;

/** Of that, what the sources and the last snapshot may take. */
const SETTLE_MS = 500;

/** Starts the daemon: the pipeline, those who tell, both listeners. Rejects for a bug of ours only. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const daemon = new Daemon(options);
  await daemon.begin();
  return daemon;
}

class Daemon implements Agent {
  readonly core: Core;
  readonly #options: AgentOptions;
  readonly #stopping = new AbortController();
  readonly #ownListeners: number[] = [];
  readonly #sinks: Sinks;
  readonly #fanOut: FanOut;
  readonly #self: SelfWatch;
  readonly #snapshots: SnapshotFiles;
  #servers: Servers | undefined;
  #reload: Reload | undefined;

  constructor(options: AgentOptions) {
    const { clock, random, settings, identity, cpuMs } = options;
    this.#options = options;
    const { podAddress } = identity;
    this.core = createCore({
      clock,
      random,
      cpuMs,
      settings,
      seed: identity.seed,
      resolver: createNameResolver({ clock, seed: identity.seed }),
      ...(podAddress === undefined ? {} : { podAddress }),
      ownListeners: this.#ownListeners,
      observe: (observation) => this.#fanOut.observe(observation),
      hear: (event) => this.#fanOut.hear(event),
      change: (change) => {
        this.#fanOut.change(change);
        this.#snapshots.change(change);
        options.heard?.(change);
      },
    });
    const { core } = this;
    const hear = (event: AgentEvent) => core.hear(event);
    this.#sinks = createSinks({ ...options, hear, core });
    this.#fanOut = fanOut(this.#sinks.all, { now: () => clock.now(), event: hear });
    this.#snapshots = createSnapshotFiles({ clock, hear, version: identity.version, core });
    this.#self = watchSelf({ clock });
  }

  async begin(): Promise<void> {
    const { clock, settings, identity, environment } = this.#options;
    const { version } = identity;
    const hear = (event: AgentEvent) => this.core.hear(event);
    const counts = { targets: settings.targets.length, probes: settings.probes.length };
    this.core.begin();
    const servers = await startServers({
      clock,
      signal: this.#stopping.signal,
      core: this.core,
      sinks: this.#sinks,
      identity,
      reload: () => this.#reload,
      hear,
      listens: (port) => this.#ownListeners.push(port),
    });
    this.#servers = servers;
    const { notYet } = servers;
    const places = { listen: placeText(settings.listen), admin: placeText(settings.admin), notYet };
    hear({ kind: "started", at: clock.now(), version, ...counts, ...places });
    for (const text of tracingWarnings(environment, settings.tracing))
      hear({ kind: "config-warning", at: clock.now(), text });
    this.#follow();
    void this.#watchSelf();
  }

  async stop(signal: string): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.deadline(FLUSH_MS);
    this.core.hear({ kind: "stopping", at: clock.now(), signal });
    this.core.drain("sigterm");
    this.#stopping.abort();
    const ended = Promise.all([
      this.#snapshots.write("stopping"),
      this.core.stop(),
      this.#servers?.close(),
    ]);
    // A disk or a peer that hangs must not take the time of those who are to be told.
    await Promise.race([ended, untilAborted(clock.deadline(SETTLE_MS))]);
    await this.#fanOut.close(deadline);
    this.#self.stop();
  }

  #follow(): void {
    const { clock, settings, configuration, onHangup } = this.#options;
    if (configuration === undefined) return;
    const { signal } = this.#stopping;
    const { faults, file } = configuration;
    const isDefault = faults.length > 0;
    const running = { settings, isDefault, since: clock.now() };
    const hear = (event: AgentEvent) => this.core.hear(event);
    if (isDefault) {
      const base = { kind: "config-rejected", at: clock.now(), file, faults } as const;
      hear({ ...base, runningOn: "default", runningSince: clock.now() });
    }
    const apply = (settings: Settings) => this.core.apply(settings);
    const reload = followConfiguration({ clock, configuration, signal, running, apply, hear });
    const off = onHangup(() => void reload.reload());
    signal.addEventListener("abort", off);
    this.#reload = reload;
  }

  async #watchSelf(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    try {
      for (;;) {
        await clock.sleep(SELF_MS, signal);
        this.core.hear(await this.#self.sampleSelf());
      }
    } catch (thrown) {
      if (signal.aborted) return;
      throw thrown;
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function placeText({ host = "", port }: ListenAddress): string {
  return hostPort(host, port);
}
