import type { ProbeObservation } from "../../model/observation.ts";
import { columns, indent, numberText } from "./lines.ts";
import type { Paint } from "./paint.ts";

/** One run of a probe: the verdict first, then what each phase took, then what was sent and seen. */
export function probeReport(run: ProbeObservation, paint: Paint): string {
  const colour =
    run.outcome === "passed" ? paint.green : run.outcome === "failed" ? paint.red : paint.yellow;
  const where = run.phase === undefined ? "" : ` in ${run.phase}`;
  const why = run.reason === undefined ? "" : `${where}: ${run.reason}`;
  const phases = Object.entries(run.phaseMs).map(
    ([phase, ms]) => [phase, `${numberText(ms)} ms`] as const,
  );
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["method", run.method],
    ["address", run.address],
    ["status", run.status],
    ["text", run.statusText],
    ["took", `${numberText(run.durationMs)} ms of ${numberText(run.deadlineMs)} ms`],
    [
      "first message",
      run.firstMessageMs === undefined ? undefined : `${numberText(run.firstMessageMs)} ms`,
    ],
    ["bytes", `${run.requestBytes} sent, ${run.responseBytes} received`],
    ["assertion", run.assertion],
    ["actual", run.actual],
    ["trace", run.traceId],
  ];
  const known = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const lines = [
    `${colour(run.outcome)}  ${paint.bold(run.probe)}${why}`,
    ...indent(columns([...known, ...phases]), "  "),
  ];
  return `${lines.join("\n")}\n`;
}
