import { parseSnapshot } from "../config/parse-snapshot.ts";
import type { Detector } from "../detectors/detector.ts";
import { runDetectors } from "../findings/run-detectors.ts";
import { createTracker } from "../findings/tracker.ts";
import { type Seen, SnapshotError } from "./tools.ts";

/**
 * Judges a saved snapshot with the detectors of this agent, as of the moment when it was taken: what
 * has no hold is active, what has one is suspected, since one instant cannot show how long.
 */
export function judgeFile(
  text: string,
  detectors: readonly Detector[],
  monotonicMs: () => number,
): Seen {
  const saved = parseSnapshot(text, detectors);
  if ("fault" in saved) throw new SnapshotError(saved.fault);
  const { settings, snapshot } = saved;
  const { verdicts } = runDetectors({ snapshot, settings, detectors, monotonicMs });
  const tracker = createTracker({ detectors });
  const now = snapshot.takenAt;
  const moment = { now, monotonicMs: monotonicMs() };
  tracker.update({ verdicts, snapshot, settings, ...moment, history: { targets: {} } });
  return { settings, snapshot, report: tracker.report({ snapshot, settings, now }) };
}
