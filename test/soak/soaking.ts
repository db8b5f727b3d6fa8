import { seconds } from "../interop/scene.ts";
import type { PrintedFindings } from "../support/running-agent.ts";
import { type Episode, runLanes } from "./lanes.ts";
import type { Counted } from "./lasting-server.ts";
import { createSampler, type Inside, lookInside, type Sampler } from "./samples.ts";
import type { World } from "./world.ts";

/** All that a run showed. */
export interface Soaked {
  readonly hours: number;
  readonly episodes: readonly Episode[];
  readonly sampler: Sampler;
  /** Counted a few times in the run, and at its end. */
  readonly insides: readonly Inside[];
  /** What the servers saw of the agent. */
  readonly counted: Readonly<Record<"app" | "payments", Counted>>;
  readonly findings: PrintedFindings;
}

const INSIDES = 6;

/** Lets faults come and go for so long, looks on, and says aloud how it goes. */
export async function soak(world: World, forSeconds: number): Promise<Soaked> {
  const { agent, app, payments, insideFile } = world;
  const begin = performance.now();
  const elapsedMs = () => performance.now() - begin;
  const say = (line: object) =>
    process.stdout.write(
      `${JSON.stringify({ minute: Number((elapsedMs() / 60_000).toFixed(1)), ...line })}\n`,
    );
  const sampler = createSampler(agent, (series) => series.includes('probe="passing"'));
  const episodes: Episode[] = [];
  const insides: Inside[] = [];
  let isOver = false;

  const everySeconds = forSeconds < 600 ? 2 : 10;
  const sampling = async () => {
    while (!isOver) await Promise.all([sampler.look(), seconds(everySeconds)]);
  };
  const counting = async () => {
    for (let turn = 1; turn < INSIDES && !isOver; turn++) {
      await seconds(forSeconds / INSIDES);
      const inside = await lookInside(agent, insideFile);
      insides.push(inside);
      say({ inside, newest: sampler.samples.at(-1) });
    }
  };
  const going = [sampling(), counting()];
  await runLanes(world, forSeconds, async (episode) => {
    episodes.push(episode);
    const { lane, fault, namedAfterSeconds, fromAt, toAt } = episode;
    const counted = lane === "app" ? await app.counted() : undefined;
    say({
      fault: fault.name,
      named: namedAfterSeconds,
      tookSeconds: (toAt - fromAt) / 1_000,
      counted,
    });
  });
  isOver = true;
  await Promise.all(going);
  insides.push(await lookInside(agent, insideFile));
  return {
    hours: elapsedMs() / 3_600_000,
    episodes,
    sampler,
    insides,
    counted: { app: await app.counted(), payments: await payments.counted() },
    findings: await agent.findings(),
  };
}
