import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import { ConfigError, faultText } from "../config/fault.ts";
import type { AgentEvent } from "../model/event.ts";
import type { Settings } from "../model/settings.ts";
import type { Clock, Instant } from "../model/time.ts";

/** Where the configuration comes from. */
export interface ConfigurationFile {
  readonly file: string;
  /** Reads it; rejects with `ConfigError`, also when it cannot be read. */
  load(): Promise<Settings>;
}

export interface ReloadOptions {
  readonly clock: Clock;
  readonly configuration: ConfigurationFile;
  readonly signal: AbortSignal;
  /** What runs; `undefined`: the file was refused, and the default runs. */
  readonly running: { readonly settings: Settings | undefined; readonly since: Instant };
  apply(settings: Settings): void;
  hear(event: AgentEvent): void;
}

/** What came of it; on faults everything runs on as it was. */
export type ReloadOutcome =
  | { readonly outcome: "unchanged" | "loaded" }
  | { readonly outcome: "rejected"; readonly faults: readonly string[] };

export interface Reload {
  /** Reads the file now (SIGHUP, `POST /-/reload`). */
  reload(): Promise<ReloadOutcome>;
}

/** Editors and kubelets write in several steps: the last one counts. */
const SETTLE_MS = 250;
/** A swap of the directory may be under way: a bad file is read once more. */
const READ_AGAIN_MS = 1_000;
/** Where a file system tells nothing of its changes. */
const BACKSTOP_MS = 60_000;

/**
 * Follows the configuration file. Its *directory* is watched: a ConfigMap is swapped by renaming
 * `..data`, after which a watch of the file itself is deaf. A file that says
 * the same changes nothing; a bad one is told with every fault, and what runs stays.
 */
export function followConfiguration(options: ReloadOptions): Reload {
  const { clock, configuration, signal } = options;
  const follower = new Follower(options);
  watchDirectory({ file: configuration.file, signal, changed: () => void follower.settle() });
  void backstop(clock, signal, follower);
  return follower;
}

class Follower implements Reload {
  readonly #options: ReloadOptions;
  #running: ReloadOptions["running"];
  /** The newest content was refused, and that was told. */
  #isRejected: boolean;
  #isSettling = false;
  /** One at a time: the tail of the queue. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#running = options.running;
    this.#isRejected = options.running.settings === undefined;
  }

  reload(): Promise<ReloadOutcome> {
    const result = this.#turn.then(() => this.#once());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Reads the file when its writer is done. */
  async settle(): Promise<void> {
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      await this.#options.clock.sleep(SETTLE_MS, this.#options.signal);
      this.#isSettling = false;
      await this.reload();
    } catch {
      this.#isSettling = false; // Stopped.
    }
  }

  async #once(): Promise<ReloadOutcome> {
    const first = await this.#attempt();
    if (first.outcome !== "rejected") return first;
    await this.#options.clock.sleep(READ_AGAIN_MS, this.#options.signal);
    const second = await this.#attempt();
    if (second.outcome === "rejected") this.#tellRejected(second.faults);
    return second;
  }

  async #attempt(): Promise<ReloadOutcome> {
    const { clock, configuration, apply } = this.#options;
    try {
      const settings = await configuration.load();
      const isUnchanged = isSame(settings, this.#running.settings);
      if (!isUnchanged) {
        this.#running = { settings, since: clock.now() };
        apply(settings);
      }
      if (!isUnchanged || this.#isRejected) this.#tellLoaded();
      return { outcome: isUnchanged ? "unchanged" : "loaded" };
    } catch (thrown) {
      return { outcome: "rejected", faults: faultsOf(thrown, configuration.file) };
    }
  }

  #tellLoaded(): void {
    const { clock, configuration, hear } = this.#options;
    this.#isRejected = false;
    hear({ kind: "config-loaded", at: clock.now(), file: configuration.file, changed: [] });
  }

  #tellRejected(faults: readonly string[]): void {
    const { clock, configuration, hear } = this.#options;
    const { settings, since } = this.#running;
    this.#isRejected = true;
    hear({
      kind: "config-rejected",
      at: clock.now(),
      file: configuration.file,
      faults,
      runningOn: settings === undefined ? "default" : "last-good",
      runningSince: since,
    });
  }
}

/** Settings are plain values, made in one order. */
function isSame(one: Settings, other: Settings | undefined): boolean {
  return other !== undefined && JSON.stringify(one) === JSON.stringify(other);
}

/** Every fault as a line of text, whatever was thrown. */
function faultsOf(thrown: unknown, file: string): readonly string[] {
  if (thrown instanceof ConfigError) return thrown.faults.map(faultText);
  return [`${file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`];
}

function watchDirectory(options: {
  readonly file: string;
  readonly signal: AbortSignal;
  changed(): void;
}): void {
  const { file, signal, changed } = options;
  const name = basename(file);
  try {
    const watcher = watch(dirname(file), { signal, persistent: false }, (_kind, entry) => {
      if (entry === null || entry === name || entry === "..data") changed();
    });
    watcher.on("error", () => watcher.close()); // The backstop goes on.
  } catch {
    // No watch to be had (too many of them, no such directory): the backstop reads the file.
  }
}

async function backstop(clock: Clock, signal: AbortSignal, follower: Follower): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(BACKSTOP_MS, signal);
      await follower.reload();
    }
  } catch {
    // Stopped.
  }
}
