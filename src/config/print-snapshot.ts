import type { Settings } from "../model/settings.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { maskSettings } from "./mask-settings.ts";

/** The number in every snapshot file; change is additive, so it stays. */
export const FORMAT = 1;

/** What a snapshot file says. */
export interface SavedSnapshot {
  /** Version of the agent that wrote it. */
  readonly agent: string;
  readonly settings: Settings;
  readonly snapshot: Snapshot;
}

/**
 * A snapshot as a file: `{ format, agent, takenAt, settings, targets }`. It may be sent to strangers, so
 * secrets and payloads of the settings are masked.
 *
 * Apart from the reading of it: a daemon prints, and never loads the schema that a stranger's file
 * is held against.
 */
export function printSnapshot({ agent, settings, snapshot }: SavedSnapshot): string {
  const { targets, ...taken } = snapshot;
  const file = { format: FORMAT, agent, ...taken, settings: maskSettings(settings), targets };
  return `${JSON.stringify(file)}\n`;
}
