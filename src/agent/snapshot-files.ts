import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { printSnapshot } from "../config/print-snapshot.ts";
import type { AgentEvent } from "../model/event.ts";
import type { FindingChange } from "../model/finding.ts";
import { type Clock, rfc3339 } from "../model/time.ts";
import type { Core } from "./core.ts";

export interface SnapshotFilesOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly core: Core;
  hear(event: AgentEvent): void;
}

/** Writes what was known when a finding opened, where a folder is configured. */
export interface SnapshotFiles {
  change(change: FindingChange): void;
  /** Resolves when the file is written, or could not be. */
  write(why: string): Promise<void>;
}

/** The oldest go: a pod's disk is small. */
const MOST_FILES = 20;

/** One file at a time; a failure is told, and harms nothing. */
export function createSnapshotFiles(options: SnapshotFilesOptions): SnapshotFiles {
  const { clock, core, hear, version } = options;
  let turn: Promise<void> = Promise.resolve();

  const write = async (why: string): Promise<void> => {
    const settings = core.settings();
    const folder = settings.snapshots;
    if (folder === undefined) return;
    const { snapshot } = core.latest();
    const stamp = rfc3339(clock.now()).replace(/[:.]/g, "-");
    const file = join(folder, `${stamp}-${why}.json`);
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(file, printSnapshot({ agent: version, settings, snapshot }));
      await removeOldest(folder);
      hear({ kind: "snapshot-written", at: clock.now(), file });
    } catch (thrown) {
      const errorText = thrown instanceof Error ? thrown.message : String(thrown);
      hear({ kind: "sink-failed", at: clock.now(), sink: "snapshots", errorText });
    }
  };
  const queued = (why: string): Promise<void> => {
    turn = turn.then(() => write(why));
    return turn;
  };

  return {
    change({ transition, finding }) {
      if (transition === "opened" && finding.isDrill !== true) void queued(finding.code);
    },
    write: queued,
  };
}

async function removeOldest(folder: string): Promise<void> {
  const ours = (await readdir(folder)).filter((name) => /^\d{4}-.*\.json$/.test(name));
  const old = ours.toSorted().slice(0, Math.max(0, ours.length - MOST_FILES));
  for (const name of old) await rm(join(folder, name), { force: true });
}
