import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import { ConfigError, faultText } from "../config/fault.ts";
import type { AgentEvent } from "../model/event.ts";
import type { Settings } from "../model/settings.ts";
import { shortageOf } from "../model/shortage.ts";
import type { Clock, Instant } from "../model/time.ts";

/** Where the configuration comes from. */
export interface ConfigurationFile {
  readonly file: string;
  /** Reads it; rejects with `ConfigError`, also when it cannot be read. */
  load(): Promise<Settings>;
  /** What is wrong with it at the start: then the settings are the default ones. */
  readonly faults: readonly string[];
}

export interface ReloadOptions {
  readonly clock: Clock;
  readonly configuration: ConfigurationFile;
  readonly signal: AbortSignal;
  readonly running: Running;
  apply(settings: Settings): void;
  hear(event: AgentEvent): void;
}

/** What runs now, and since when. */
export interface Running {
  readonly settings: Settings;
  /** The file was refused at the start. */
  readonly isDefault: boolean;
  readonly since: Instant;
}

/** What came of it; on faults everything runs on as it was. */
export type ReloadOutcome =
  | { readonly outcome: "unchanged" | "loaded" }
  | { readonly outcome: "rejected"; readonly faults: readonly string[] }
  /** The agent is short of descriptors or memory: what the file says is not known. */
  | { readonly outcome: "unread"; readonly faults: readonly string[] };

export interface Reload {
  /** Reads the file now (SIGHUP, `POST /-/reload`), and tells what came of it, were it nothing. */
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
  #running: Running;
  /** Why the newest content was refused, as it was told; `undefined`: it runs. */
  #faults: readonly string[] | undefined;
  #isSettling = false;
  /** One at a time: the tail of the queue. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#running = options.running;
    this.#faults = options.running.isDefault ? options.configuration.faults : undefined;
  }

  async reload(): Promise<ReloadOutcome> {
    const result = await this.#inTurn("ordered");
    if (result.outcome === "unchanged") this.#tellUnchanged();
    return result;
  }

  /** Reads the file unasked: what was told already is not told again. */
  look(): Promise<ReloadOutcome> {
    return this.#inTurn("unasked");
  }

  #inTurn(why: "ordered" | "unasked"): Promise<ReloadOutcome> {
    const result = this.#turn.then(() => this.#once(why));
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
      await this.look();
    } catch {
      this.#isSettling = false; // Stopped.
    }
  }

  async #once(why: "ordered" | "unasked"): Promise<ReloadOutcome> {
    const first = await this.#attempt();
    if (first.outcome !== "rejected") return first;
    const isNews = (faults: readonly string[]) =>
      why === "ordered" || faults.join("\n") !== this.#faults?.join("\n");
    if (!isNews(first.faults)) return first;
    await this.#options.clock.sleep(READ_AGAIN_MS, this.#options.signal);
    const second = await this.#attempt();
    if (second.outcome === "rejected" && isNews(second.faults)) this.#tellRejected(second.faults);
    return second;
  }

  async #attempt(): Promise<ReloadOutcome> {
    const { clock, configuration, apply } = this.#options;
    try {
      const settings = await configuration.load();
      const before = this.#running.settings;
      const changed = changedSections(before, settings);
      if (changed.length === 0 && this.#faults === undefined) return { outcome: "unchanged" };
      const since = changed.length > 0 ? clock.now() : this.#running.since;
      this.#running = { settings, isDefault: false, since };
      if (changed.length > 0) apply(settings);
      this.#tellLoaded(before, changed);
      return { outcome: "loaded" };
    } catch (thrown) {
      const faults = faultsOf(thrown, configuration.file);
      return { outcome: isShortOf(thrown) ? "unread" : "rejected", faults };
    }
  }

  #tellLoaded(before: Settings, changed: readonly string[]): void {
    const { clock, configuration, hear } = this.#options;
    const at = clock.now();
    this.#faults = undefined;
    hear({ kind: "config-loaded", at, file: configuration.file, changed });
    const late = this.#lateSections(before);
    if (late.length === 0) return;
    const text = `${configuration.file}: what changed in ${late.join(", ")} takes effect when the agent starts again`;
    hear({ kind: "config-warning", at, text });
  }

  /** What has changed now, and is not as it was at the start. */
  #lateSections(before: Settings): readonly string[] {
    const changedSince = (settings: Settings) =>
      changedSections(readAtStart(settings), readAtStart(this.#running.settings));
    const sinceStart = new Set(changedSince(this.#options.running.settings));
    return changedSince(before).filter((section) => sinceStart.has(section));
  }

  #tellUnchanged(): void {
    const { clock, configuration, hear } = this.#options;
    hear({ kind: "config-unchanged", at: clock.now(), file: configuration.file });
  }

  #tellRejected(faults: readonly string[]): void {
    const { clock, configuration, hear } = this.#options;
    const { isDefault, since } = this.#running;
    this.#faults = faults;
    hear({
      kind: "config-rejected",
      at: clock.now(),
      file: configuration.file,
      faults,
      runningOn: isDefault ? "default" : "last-good",
      runningSince: since,
    });
  }
}

/** What only a start reads: the two sockets, the log, and where spans go, if they do. */
function readAtStart({ listen, admin, log, tracing }: Settings): object {
  return { listen, admin, log, tracing: tracing && { endpoint: tracing.endpoint } };
}

/** The sections of the configuration that differ. Settings are plain values, made in one order. */
function changedSections(before: object, after: object): readonly string[] {
  const textOf = (settings: object, section: string) =>
    JSON.stringify(Object.entries(settings).find(([name]) => name === section));
  const sections = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...sections].filter((section) => textOf(before, section) !== textOf(after, section));
}

/** Whether the agent lacked what it takes to read the file. */
function isShortOf(thrown: unknown): boolean {
  const shortage = thrown instanceof ConfigError ? thrown.shortage : shortageOf(thrown);
  return shortage !== undefined;
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
      await follower.look();
    }
  } catch {
    // Stopped.
  }
}
