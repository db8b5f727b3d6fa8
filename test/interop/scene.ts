import {
  isExcused,
  type PrintedFindings,
  type RunningAgent,
  startRunningAgent,
} from "../support/running-agent.ts";
import { type Implementation, type Peer, startPeer } from "./peer.ts";

/** Ends with its test, whatever becomes of it. */
export interface Stage {
  onTestFinished(end: () => Promise<void>): void;
}

export async function aServer(
  stage: Stage,
  implementation: Implementation,
  flags: readonly string[] = [],
): Promise<Peer> {
  const peer = await startPeer(implementation, ["serve", ...flags]);
  stage.onTestFinished(() => peer.stop());
  return peer;
}

/** A client that calls `target` twenty times a second with a deadline of a second, if not told otherwise. */
export async function aCaller(
  stage: Stage,
  implementation: Implementation,
  flags: readonly [target: string, ...rest: readonly string[]],
): Promise<Peer> {
  const peer = await startPeer(implementation, ["call", "--target", ...flags]);
  stage.onTestFinished(() => peer.stop());
  return peer;
}

export async function anAgent(
  stage: Stage,
  configuration: string,
  options: Parameters<typeof startRunningAgent>[1] = {},
): Promise<RunningAgent> {
  const agent = await startRunningAgent(configuration, options);
  stage.onTestFinished(async () => void (await agent.stop()));
  return agent;
}

/** The address that a peer has said. */
export const addressOf = ({ ready }: Peer): string => String(ready["address"]);
export const portOf = ({ ready }: Peer): number => Number(ready["port"]);

/** What the agent has said aloud so far: codes of findings at warning or above, in order. */
export function toldLoudly({ log }: RunningAgent): readonly string[] {
  const opened = log.filter(
    (line) =>
      line["otel.event.name"] === "grpc_doctor.finding.opened" &&
      (line["level"] === "warn" || line["level"] === "error"),
  );
  return opened.map(codeOf).filter((code) => !isExcused(code));
}

const codeOf = (line: RunningAgent["log"][number]) =>
  String((line["finding"] as { readonly code?: string } | undefined)?.code);

/** Resolves after so many seconds in which the agent has said nothing aloud, but for what was known. */
export async function silent(
  agent: RunningAgent,
  forSeconds: number,
  known: readonly string[] = [],
): Promise<void> {
  const end = performance.now() + forSeconds * 1_000;
  while (performance.now() < end) {
    await seconds(1);
    const told = toldLoudly(agent).filter((code) => !known.includes(code));
    if (told.length > 0) throw new Error(`told ${told.join()}: ${shown(await agent.findings())}`);
  }
}

/** What is not judged of these now; silence about it would mean nothing. */
export async function unjudgedOf(
  agent: RunningAgent,
  codes: readonly string[],
  target = "app",
): Promise<readonly string[]> {
  const { unjudged } = await agent.findings();
  const here = unjudged.filter((entry) => entry.target === target && codes.includes(entry.code));
  return here.map(({ code, because }) => `${code}: ${because}`);
}

/** Resolves with the finding when the agent has named this code and no other; else says what it saw. */
export async function named(
  agent: RunningAgent,
  code: string,
  withinMs: number,
  asSevereAs: "warning" | "critical" = "warning",
): Promise<PrintedFindings["active"][number]> {
  const end = performance.now() + withinMs;
  for (;;) {
    const [now] = await Promise.all([agent.findings(), pause()]);
    const others = toldLoudly(agent).filter((told) => told !== code);
    if (others.length > 0) throw new Error(`${code} was awaited, but told was ${shown(now)}`);
    const finding = loud(now).find((active) => active.code === code);
    const isSevere = asSevereAs === "warning" || finding?.severity === asSevereAs;
    if (finding !== undefined && isSevere) return finding;
    if (performance.now() > end) throw new Error(`${code} was not named: ${shown(now)}`);
  }
}

/** Resolves when nothing is active at warning or above. */
export async function resolved(agent: RunningAgent, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    const [now] = await Promise.all([agent.findings(), pause()]);
    if (loud(now).length === 0) return;
    if (performance.now() > end) throw new Error(`still active: ${shown(now)}`);
  }
}

const loud = ({ active }: PrintedFindings) =>
  active.filter(({ severity, code }) => severity !== "info" && !isExcused(code));

export const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, count * 1_000);
  });

const pause = () => seconds(0.5);

function shown({ active, pending, suppressed, unjudged, targets }: PrintedFindings): string {
  return JSON.stringify({ active, pending, suppressed, unjudged, targets }, undefined, 1);
}

/** Rows that a suite prints at its end: what was named after how many seconds. */
export interface Table {
  /** Runs `work` and notes its seconds. */
  timed<T>(row: string, column: string, work: () => Promise<T>): Promise<T>;
  note(row: string, column: string, value: string): void;
  print(title: string): void;
}

export function createTable(): Table {
  const rows: Record<string, Record<string, string>> = {};
  const note = (row: string, column: string, value: string) => {
    rows[row] = { ...rows[row], [column]: value };
  };
  return {
    note,
    async timed(row, column, work) {
      const begin = performance.now();
      const result = await work();
      note(row, column, `${((performance.now() - begin) / 1_000).toFixed(1)} s`);
      return result;
    },
    print(title) {
      process.stdout.write(`\n${title}\n`);
      console.table(rows);
    },
  };
}
