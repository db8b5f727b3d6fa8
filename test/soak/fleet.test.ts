import { afterAll, describe, expect, it } from "vitest";
import { addressOf, createTable, toldLoudly } from "../interop/scene.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";
import { type Fleet, startFleet, type Visits } from "./fleet.ts";
import { A_MINUTE } from "./scale-page.ts";

/**
 * Forty agents on one machine, one upstream and one name server, both real: what they ask is what
 * docs/scale.md says of one agent, forty times; and it comes spread, after a restart of the upstream too,
 * which all of them notice at one moment.
 */
const AGENTS = 40;
/** The longest interval of what they do: each of them does it once. */
const WINDOW_SECONDS = 30;
/** A window cuts off up to one of each thing, and a machine that is full moves some out of it. */
const TOLERANCE = 0.4;
/** Evenly spread it would be one or two; by chance, of forty places in thirty seconds, five or six. */
const MOST_IN_A_SECOND = 8;
/** After a loss: a look within a second, a new connection about a second later, and both once more. */
const MOST_AFTER_LOSS = 4;

const table = createTable();
afterAll(() => table.print(`${AGENTS} agents, one upstream`));

describe("a fleet", () => {
  it("asks what the page says, and not at one moment", async ({ onTestFinished }) => {
    const fleet = await startFleet(AGENTS);
    onTestFinished(() => fleet.stop());
    const beside = await anAgentBeside(fleet);
    onTestFinished(async () => void (await beside.stop()));
    await fleet.settled();

    const quiet = await fleet.visitsWithin(WINDOW_SECONDS);
    noteAll("quiet", quiet);
    const expected = (perMinute: number) => (AGENTS * perMinute * WINDOW_SECONDS) / 60;
    const share = (seen: number, perMinute: number) => seen / expected(perMinute);
    expect({
      connections: share(quiet.dialledAt.length, A_MINUTE.connections),
      calls: share(quiet.calledAt.length, A_MINUTE.calls),
      pings: share(quiet.pings, A_MINUTE.pings),
      queries: share(quiet.askedAt.length, A_MINUTE.queries),
    }).toEqual({ connections: one(), calls: one(), pings: one(), queries: one() });
    expect(busiest(quiet.dialledAt, 1_000)).toBeLessThanOrEqual(MOST_IN_A_SECOND);
    expect([...fleet.agents, beside].flatMap(toldLoudly)).toEqual([]);

    await fleet.restartUpstream();
    const back = await fleet.visitsWithin(10);
    noteAll("upstream back", back);
    expect(back.dialledAt.length).toBeGreaterThanOrEqual(AGENTS);
    expect(back.dialledAt.length).toBeLessThanOrEqual(MOST_AFTER_LOSS * AGENTS);
    const after = await fleet.visitsWithin(WINDOW_SECONDS);
    noteAll("after that", after);
    expect(busiest(after.dialledAt, 1_000)).toBeLessThanOrEqual(MOST_IN_A_SECOND);
  });
});

const one = () => expect.closeTo(1, -Math.log10(2 * TOLERANCE));

/** The agent of the upstream's own pod, which sees all of the others. */
async function anAgentBeside(fleet: Fleet): Promise<RunningAgent> {
  const port = addressOf(fleet.upstream()).replace(/^.*:/, "");
  return startRunningAgent(`targets: [{ name: app, address: "127.0.0.1:${port}" }]`);
}

/** The most moments that lie within so many ms of each other. */
function busiest(moments: readonly number[], withinMs: number): number {
  const sorted = moments.toSorted((a, b) => a - b);
  const ahead = sorted.map(
    (first, at) => sorted.slice(at).filter((moment) => moment - first < withinMs).length,
  );
  return Math.max(0, ...ahead);
}

function noteAll(when: string, { dialledAt, calledAt, askedAt, pings }: Visits): void {
  table.note("connections", when, `${dialledAt.length}`);
  table.note("calls", when, `${calledAt.length}`);
  table.note("PINGs", when, `${pings}`);
  table.note("DNS queries", when, `${askedAt.length}`);
  table.note("connections in the busiest second", when, `${busiest(dialledAt, 1_000)}`);
  table.note("connections in the busiest 100 ms", when, `${busiest(dialledAt, 100)}`);
  table.note("calls in the busiest second", when, `${busiest(calledAt, 1_000)}`);
  table.note("DNS queries in the busiest second", when, `${busiest(askedAt, 1_000)}`);
}
