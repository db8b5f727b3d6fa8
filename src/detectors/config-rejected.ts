import { defineDetector } from "./detector.ts";

/**
 * The newest configuration was refused, and the agent runs on an older one, or on the default.
 *
 * A sidecar that ends takes its pod down with it, so in a pod a bad file is told and not obeyed.
 */
export const configRejected = defineDetector({
  code: "config-rejected",
  title: "The newest configuration was refused",
  layer: "agent",
  severity: "warning",
  remedy:
    "Correct the file (`grpc-doctor config check` lists all faults at once) and reload; the next good one clears this.",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {},
  needs: ["configState"],

  detect({ stamp, configState: { file = "", rejected } }) {
    if (rejected === undefined) return [];
    const { faults, firstFault, runningOn, runningSince } = rejected;
    const old = runningOn === "default" ? "the default configuration" : "the last good one";
    return [
      {
        subject: { file },
        witnesses: ["config"],
        summary: `${file === "" ? "The configuration" : file} was refused (faults: ${faults}), and the agent runs on ${old}: ${firstFault}`,
        evidence: { faults, firstFault, runningSinceAt: stamp(runningSince), runningOn },
      },
    ];
  },
});
