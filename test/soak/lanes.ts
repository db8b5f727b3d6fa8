import { seconds } from "../interop/scene.ts";
import type { PrintedFindings } from "../support/running-agent.ts";
import { type Fault, LANES } from "./faults.ts";
import type { World } from "./world.ts";

/** A fault that came and went. */
export interface Episode {
  readonly lane: string;
  readonly fault: Fault;
  readonly fromAt: number;
  readonly toAt: number;
  /** Nothing was left of it. */
  readonly isResolved: boolean;
  /** From the fault to its name; absent where nothing was to be told. */
  readonly namedAfterSeconds?: number;
}

/** A finding is waited for so long, and its end too: twice as long as the slowest takes when alone. */
const PATIENCE_MS = 420_000;
/** How long nothing is told where nothing is wrong. */
const SILENT_SECONDS = 12;
const CALM_SECONDS = 3;

/**
 * Runs the faults of every lane, one lane beside the other, until the time is up; each lane has at
 * least one, and begins none that would not end in time. Resolves when all is well again.
 */
export async function runLanes(
  world: World,
  forSeconds: number,
  heard: (episode: Episode) => Promise<void>,
): Promise<void> {
  const untilMs = performance.now() + forSeconds * 1_000;
  const leftSeconds = () => (untilMs - performance.now()) / 1_000;
  await Promise.all(
    Object.entries(LANES).map(async ([lane, faults]) => {
      let turn: number | undefined = 0;
      while (turn !== undefined) {
        const fault: Fault | undefined = faults[turn % faults.length];
        if (fault === undefined) return;
        await heard(await runOne(world, lane, fault));
        turn = nextTurn(faults, turn + 1, leftSeconds());
      }
    }),
  );
}

/** The next in turn that would end in time. */
function nextTurn(faults: readonly Fault[], turn: number, leftSeconds: number): number | undefined {
  const turns = faults.map((_, ahead) => turn + ahead);
  return turns.find((at) => (faults[at % faults.length]?.takesSeconds ?? 0) <= leftSeconds);
}

async function runOne(world: World, lane: string, fault: Fault): Promise<Episode> {
  const { findings } = world.agent;
  const fromAt = Date.now();
  await fault.begin(world);
  if (fault.told === undefined) await seconds(SILENT_SECONDS);
  else await until(findings, ({ active }) => names(active).includes(fault.told ?? ""));
  const namedAt = Date.now();
  await fault.end(world);
  const isResolved = await until(findings, (now) => isCalm(now, lane));
  const toAt = Date.now();
  await seconds(CALM_SECONDS);
  const namedAfterSeconds = (namedAt - fromAt) / 1_000;
  const named = fault.told === undefined ? {} : { namedAfterSeconds };
  return { lane, fault, fromAt, toAt, isResolved, ...named };
}

/** Nothing at warning or above is active on the lane's target, nor about to be. */
function isCalm({ active, pending }: PrintedFindings, target: string): boolean {
  const isHere = (finding: PrintedFindings["active"][number]) =>
    finding.target === target && finding.severity !== "info" && finding.code !== "agent-overloaded";
  return !active.some(isHere) && !pending.some(isHere);
}

const names = (findings: PrintedFindings["active"]) =>
  findings.map(({ code, target }) => `${code}@${target}`);

/** The agent's own log says what became of it when it never is: the run goes on. */
async function until(
  look: () => Promise<PrintedFindings>,
  isSo: (now: PrintedFindings) => boolean,
): Promise<boolean> {
  const endMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endMs) {
    if (isSo(await look())) return true;
    await seconds(0.5);
  }
  return false;
}
