import type { RunningAgent } from "../support/running-agent.ts";
import type { Episode } from "./lanes.ts";
import type { Sample } from "./samples.ts";

type Log = RunningAgent["log"];
type Line = Log[number];

/** The load is of a minute, and the agent judges its lag over a minute. */
const NEAR_MS = 60_000;

interface Told {
  readonly code: string;
  readonly target: string;
}

/** Loud lines that no fault of the table explains, nor a machine that was too full to run the agent. */
export function unexplained(
  log: Log,
  episodes: readonly Episode[],
  samples: readonly Sample[],
): readonly string[] {
  const isStarved = (line: Line) =>
    told(line)?.code === "agent-overloaded" &&
    samples.some(({ wallMs, isCrowded }) => isCrowded && Math.abs(wallMs - at(line)) < NEAR_MS);
  return log
    .filter((line) => isLoud(line) && !episodes.some((episode) => explains(episode, line)))
    .filter((line) => !isStarved(line))
    .map((line) => `${String(line["time"])} ${String(line["msg"])}`);
}

/** Whether the code of the table was told aloud while the fault was there. */
export function wasTold(log: Log, { fault, fromAt, toAt }: Episode): boolean {
  if (fault.told === undefined) return true;
  return log.some(
    (line) =>
      line["otel.event.name"] === "grpc_doctor.finding.opened" &&
      nameOf(line) === fault.told &&
      isWithin(line, { fromAt, toAt }),
  );
}

/** Lines of log for each fault, in the first half of the faults and in the second. */
export function linesPerFault(log: Log, episodes: readonly Episode[]): readonly [number, number] {
  const begins = episodes.map(({ fromAt }) => fromAt).toSorted((a, b) => a - b);
  const middle = Math.floor(begins.length / 2);
  const before = log.filter((line) => at(line) < (begins[middle] ?? 0)).length;
  return [before / middle, (log.length - before) / (begins.length - middle)];
}

function explains({ fault, fromAt, toAt }: Episode, line: Line): boolean {
  if (!isWithin(line, { fromAt, toAt })) return false;
  if (told(line) !== undefined) return [fault.told, fault.meanwhile].includes(nameOf(line));
  return fault.lines?.includes(String(line["otel.event.name"])) ?? false;
}

const isWithin = (line: Line, { fromAt, toAt }: Pick<Episode, "fromAt" | "toAt">) =>
  at(line) >= fromAt && at(line) <= toAt;
const at = (line: Line) => Date.parse(String(line["time"]));
const isLoud = (line: Line) => line["level"] === "warn" || line["level"] === "error";
const told = (line: Line) => line["finding"] as Told | undefined;
const nameOf = (line: Line) => `${told(line)?.code}@${told(line)?.target}`;
