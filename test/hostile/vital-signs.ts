import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { RunningAgent } from "../support/running-agent.ts";

/** How an agent was, from when it began to be watched. */
export interface VitalSigns {
  /** The most that its main thread computed while `/-/healthy` waited for an answer, ms. */
  readonly computedMs: number;
  /** The longest that `/-/healthy` took three times in a row, ms, less the wait for a processor. */
  readonly answeredMs: number;
  /** How often it was asked. */
  readonly asked: number;
  /** The most that it ever held, MiB. */
  readonly peakMib: number;
}

const EVERY_MS = 50;

interface Answer {
  readonly computedMs: number;
  readonly tookMs: number;
}

/**
 * Asks `/-/healthy` twenty times a second until `stop`, and tells the agent's own share in each answer, as
 * the machine may be full of others. The kernel counts (`schedstat`, ns) what a thread ran, and what it
 * was ready to run while others had all processors. Of what the agent computed every answer counts: that
 * is how a hostile peer would stop it. Of what an answer took besides (a lock, a queue, a disk) the best
 * of three in a row does, since the rest of the machine takes part in it.
 */
export function watchVitalSigns(agent: RunningAgent): { stop(): Promise<VitalSigns> } {
  let isOver = false;
  const answers: Answer[] = [];
  const watching = (async () => {
    while (!isOver) {
      answers.push(await anAnswer(agent));
      await delay(EVERY_MS);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      const threes = answers.slice(2).map((_, n) => answers.slice(n, n + 3));
      return {
        computedMs: Math.max(...answers.map(({ computedMs }) => computedMs)),
        answeredMs: Math.max(
          ...threes.map((three) => Math.min(...three.map(({ tookMs }) => tookMs))),
        ),
        asked: answers.length,
        peakMib: peakMib(agent.pid),
      };
    },
  };
}

async function anAnswer({ listen, pid }: RunningAgent): Promise<Answer> {
  const before = { agent: mainThread(pid), us: mainThread(process.pid), at: performance.now() };
  const headers = { connection: "close" };
  const isAnswered = await fetch(`http://${listen}/-/healthy`, { headers }).then(
    async (response) => response.ok && (await response.text()) !== "",
    () => false,
  );
  const tookMs = isAnswered ? performance.now() - before.at : Number.POSITIVE_INFINITY;
  const agent = mainThread(pid);
  // Not the sum: both may have waited at once.
  const waitedMs = Math.max(
    agent.waitedMs - before.agent.waitedMs,
    mainThread(process.pid).waitedMs - before.us.waitedMs,
  );
  return { computedMs: agent.ranMs - before.agent.ranMs, tookMs: tookMs - waitedMs };
}

/** Source: the kernel's Documentation/scheduler/sched-stats.rst. */
function mainThread(pid: number): { readonly ranMs: number; readonly waitedMs: number } {
  const text = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8");
  const [ran, waited] = text.split(" ");
  return { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
}

/** Source: proc_pid_status(5). */
function peakMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
