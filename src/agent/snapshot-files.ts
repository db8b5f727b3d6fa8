import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { printSnapshot } from "../config/print-snapshot.ts";
import type { AgentEvent } from "../model/event.ts";
import type { FindingChange } from "../model/finding.ts";
import { type Clock, rfc3339 } from "../model/time.ts";
import { SinkState } from "../sinks/sink-state.ts";
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
  const state = new SinkState("snapshots", { now: () => clock.now(), event: hear });
  let turn: Promise<void> = Promise.resolve();

  const write = async (why: string): Promise<void> => {
    const settings = core.settings();
    const folder = settings.snapshots;
    if (folder === undefined) return;
    const { snapshot } = core.latest();
    const stamp = rfc3339(clock.shown(clock.now())).replace(/[:.]/g, "-");
    const file = join(folder, `${stamp}-${why}.json`);
    try {
      await mkdir(folder, { recursive: true, mode: 0o750 });
      await removeOldest(folder, MOST_FILES - 1);
      await writeMakingRoom(file, printSnapshot({ agent: version, settings, snapshot }));
      hear({ kind: "snapshot-written", at: clock.now(), file });
      state.worked("write");
    } catch (thrown) {
      state.failed("write", thrown);
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

/** Where the disk is full, older ones of ours give way to this one. */
async function writeMakingRoom(file: string, text: string): Promise<void> {
  for (;;) {
    try {
      return await writeWhole(file, text);
    } catch (thrown) {
      const folder = dirname(file);
      const left = (await ours(folder)).length;
      if (!isFull(thrown) || left === 0) throw thrown;
      await removeOldest(folder, left - 1);
    }
  }
}

/** The whole file or none: half a snapshot would be read as a damaged one. */
async function writeWhole(file: string, text: string): Promise<void> {
  const part = `${file}.part`;
  try {
    // Ours alone to write, the pod's group to read; and nobody's link is followed to another file.
    await writeFile(part, text, { mode: 0o640, flag: "wx" });
    await rename(part, file);
  } catch (thrown) {
    await rm(part, { force: true });
    throw thrown;
  }
}

function isFull(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && FULL.has(String(thrown.code));
}

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

async function removeOldest(folder: string, left: number): Promise<void> {
  const names = await ours(folder);
  for (const name of names.slice(0, Math.max(0, names.length - left))) {
    await rm(join(folder, name), { force: true });
  }
}

/** What we wrote there, the oldest first; also what a life that was cut off left half. */
async function ours(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names.filter((name) => /^\d{4}-.*\.json(\.part)?$/.test(name)).toSorted();
}
