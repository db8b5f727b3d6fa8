import type { ProbeResult } from "../../grpc/probe-run.ts";
import type { Metadata } from "../../grpc/transport.ts";
import type { ProbeSpec } from "../../model/probe-spec.ts";
import { reasonText } from "./fault-text.ts";
import { columns, indent, numberText } from "./lines.ts";
import type { Paint } from "./paint.ts";

/** One run of a probe, with all that the person who asked may see. */
export interface ProbeShow {
  readonly spec: ProbeSpec;
  readonly result: ProbeResult;
  readonly traceId: string;
}

/** The verdict first, then what each phase took, then headers, responses, trailers. */
export function probeReport({ spec, result, traceId }: ProbeShow, paint: Paint): string {
  const { outcome, missing, reply } = result;
  const colour =
    outcome === "passed" ? paint.green : outcome === "failed" ? paint.red : paint.yellow;
  const fix = missing === undefined ? [] : [`  → ${missing.fix}`];
  const responses = result.responses().map((message) => JSON.stringify(message, null, 2));
  const lines = [
    `${colour(outcome)}  ${paint.bold(spec.name)}${whyText(result)}`,
    ...fix,
    ...indent(columns(factRows(spec, result, traceId)), "  "),
    ...section("headers", reply?.headers ?? []),
    ...(responses.length === 0
      ? []
      : ["responses", ...indent(responses.join("\n").split("\n"), "  ")]),
    ...section("trailers", reply?.trailers ?? []),
  ];
  return `${lines.join("\n")}\n`;
}

/** The same as plain values, for `-o json`. */
export function probeDocument({ spec, result, traceId }: ProbeShow): unknown {
  const { responses, reply, ...verdict } = result;
  const { error: _error, responses: _bytes, ...seen } = reply ?? {};
  return {
    probe: spec.name,
    method: spec.method,
    traceId,
    ...verdict,
    ...seen,
    responses: responses(),
  };
}

/** `: in rpc, the server answered with an error (NOT_FOUND: no such order)`. */
export function whyText({
  phase,
  reason,
  status,
  statusText,
  assertion,
  actual,
  missing,
}: ProbeResult): string {
  if (missing !== undefined) return `: ${missingText(missing)}`;
  if (assertion !== undefined) return `: ${assertion} is not so: ${actual ?? ""}`;
  if (reason === undefined) return "";
  const said = [status, statusText ?? actual].filter((part) => part !== undefined).join(": ");
  return `: ${phase === undefined ? "" : `in ${phase}, `}${reasonText(reason)}${said === "" ? "" : ` (${said})`}`;
}

/** A method that is missing is named by the reason. */
function missingText({ part, reason }: NonNullable<ProbeResult["missing"]>): string {
  return part.includes("/") ? reason : `${part}: ${reason}`;
}

function factRows(spec: ProbeSpec, { status, reply }: ProbeResult, traceId: string) {
  const phases = Object.entries(reply?.phaseMs ?? {}).map(
    ([phase, ms]) => [phase, milliseconds(ms)] as const,
  );
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["method", spec.method],
    ["peer", reply?.peer],
    ["status", status],
    ["took", reply && `${milliseconds(reply.durationMs)} of ${milliseconds(spec.deadlineMs)}`],
    [
      "first message",
      reply?.firstMessageMs === undefined ? undefined : milliseconds(reply.firstMessageMs),
    ],
    ...phases,
    ["bytes", reply && `${reply.requestBytes} sent, ${reply.responseBytes} received`],
    ["trace", traceId],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

function section(name: string, metadata: Metadata): readonly string[] {
  return metadata.length === 0 ? [] : [name, ...indent(columns(metadata), "  ")];
}

function milliseconds(ms: number): string {
  return `${numberText(ms)} ms`;
}
