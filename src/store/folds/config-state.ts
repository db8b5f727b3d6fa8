import type { ConfigState } from "../../model/facts/config-state.ts";
import { defineFold, type EventOf } from "../fold.ts";

/** Whether the newest configuration file runs; the next event tells otherwise. */
export const configStateFold = defineFold({
  fact: "configState",
  of: ["agent"],
  reads: ["agent/started", "agent/config-loaded", "agent/config-rejected"],
  bound: "one fault of the newest file",
  maxAgeMs: Number.POSITIVE_INFINITY,
  inNewEpoch: "stays",
  isNews: (before, after) => before?.rejected !== after.rejected,

  fold(_previous: ConfigState | undefined, { event }) {
    // What the agent started with runs; a file that was refused at the start is told right after.
    if (event.kind === "started") return {};
    const file = baseName(event.file);
    return event.kind === "config-loaded" ? { file } : { file, rejected: rejectedBy(event) };
  },
});

function rejectedBy(event: EventOf<"config-rejected">): NonNullable<ConfigState["rejected"]> {
  const { at, faults, runningOn, runningSince } = event;
  return { at, faults: faults.length, firstFault: faults[0] ?? "", runningOn, runningSince };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
