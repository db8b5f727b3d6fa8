import type { Cadence, Job } from "../../model/job.ts";
import type { ProbeSpec } from "../../model/probe-spec.ts";
import { knownValue } from "../../model/snapshot.ts";
import type { Need } from "../plan.ts";
import { every } from "./cadence.ts";

/** What a run may take beyond its RPC's deadline: a fresh connection, and reading descriptors. */
const AROUND_THE_CALL_MS = 15_000;

/** Each configured probe; the run after a failure is always sampled, so that the app's half exists. */
export function planProbes(need: Need): readonly Job[] {
  const { settings, target, known } = need;
  const histories = knownValue(known, "probes")?.probes ?? {};
  return settings.probes
    .filter((spec) => spec.target === target.name)
    .map((spec): Job => {
      const hasFailed = histories[spec.name]?.runs.at(-1)?.outcome === "failed";
      return {
        key: `probe/${spec.name}`,
        source: "probe",
        label: `probe/${spec.name}`,
        target: target.name,
        cadence: cadenceOf(spec),
        deadlineMs: spec.deadlineMs + AROUND_THE_CALL_MS,
        spec,
        sampleRatio: sampleRatio(settings.tracing?.ratio, hasFailed),
      };
    });
}

function cadenceOf({ schedule }: ProbeSpec): Cadence {
  return "cron" in schedule ? { kind: "cron", expression: schedule.cron } : every(schedule.everyMs);
}

function sampleRatio(ratio: number | undefined, hasFailed: boolean): number {
  if (ratio === undefined) return 0;
  return hasFailed ? 1 : ratio;
}
