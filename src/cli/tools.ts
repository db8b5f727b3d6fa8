import type { Detector } from "../detectors/detector.ts";
import type { FindingChange, FindingsReport } from "../model/finding.ts";
import type { Settings } from "../model/settings.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Program } from "./program.ts";
import type { Expressions } from "./read-settings.ts";

/**
 * The parts of the agent that commands use, each loaded when the first command asks for it. They are
 * given to the commands, so that a command is tested apart from the agent.
 */
export interface Tools {
  readonly detectors: () => Promise<readonly Detector[]>;
  /** For the text of a configuration: empty when it has no expression and no descriptor set. */
  readonly expressions: (text: string) => Promise<Expressions>;
  /** Runs the daemon until the program's signal; resolves when all is flushed. */
  readonly runAgent: (program: Program, options: RunOptions) => Promise<void>;
  /** Watches for a while with every source, and judges. */
  readonly examine: (program: Program, options: ExamineOptions) => Promise<Seen>;
}

export interface RunOptions {
  readonly settings: Settings;
  /** The file that the settings came from, watched for changes. */
  readonly file?: string;
  /** Reads the file again; throws `ConfigError`. */
  readonly reload?: () => Promise<Settings>;
  /** What was wrong with the file at the start, where the agent runs on the default settings. */
  readonly rejected?: readonly string[];
  /** Hears every transition besides the sinks. */
  readonly heard?: (change: FindingChange) => void;
}

export interface ExamineOptions {
  readonly settings: Settings;
  readonly forMs: number;
}

/** What one look showed. */
export interface Seen {
  readonly settings: Settings;
  readonly snapshot: Snapshot;
  readonly report: FindingsReport;
}

/** A file of a stranger is no snapshot. The message says where it is not. */
export class SnapshotError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SnapshotError";
  }
}
