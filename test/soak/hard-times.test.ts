import { afterAll, describe, expect, it } from "vitest";
import { createTable } from "../interop/scene.ts";
import { isExcused } from "../support/running-agent.ts";
import type { Episode } from "./lanes.ts";
import { linesPerFault, unexplained, wasTold } from "./lines.ts";
import { between, type Figure, type Inside, mean, most, type Sample } from "./samples.ts";
import { type Soaked, soak } from "./soaking.ts";
import { startWorld } from "./world.ts";

/**
 * Faults come and go beside a loaded server, a TLS server, an upstream behind a name and a collector.
 * Each is told by the one code that the table of faults.ts names, on its target, and by no other; and
 * the agent at the end is the agent of before: memory, descriptors, timers, listeners, series and lines
 * of log for each fault.
 *
 * `GRPC_DOCTOR_SOAK_SECONDS` is the length: each lane of faults.ts has at least one fault, and the end of
 * what was begun is waited for, so that the shortest run takes two minutes. A Node process settles within
 * minutes: a shorter run than an hour only tells a leak that would fill the pod soon.
 */
const SOAK_SECONDS = Number(process.env["GRPC_DOCTOR_SOAK_SECONDS"] ?? "20");
const IS_LONG = SOAK_SECONDS >= 3_600;
const MOST_GROWN_MIB = IS_LONG ? 4 : 24;

/**
 * The visits of an hour: each 30 s the X-ray, on payments the probe with a connection of its own besides.
 * A fault costs at most forty more: a look each 5 s while nobody answers, and a new kept connection for
 * each that a server ends.
 */
const VISITS_AN_HOUR = { app: 120, payments: 240 };
const VISITS_OF_A_FAULT = 40;
/** Source: grpc-go's enforcement, too_many_pings: more than two strikes end a connection. */
const PINGS_WITHOUT_CALL = 2;

const table = createTable();
const note = (row: string, value: string) => table.note(row, "agent", value);
afterAll(() => table.print(`${SOAK_SECONDS} s of hard times`));

describe("hard times", () => {
  it("leave the agent as it was, and each fault with its one name", async ({ onTestFinished }) => {
    const world = await startWorld();
    onTestFinished(() => world.stop());
    const soaked = await soak(world, SOAK_SECONDS);
    const { episodes, sampler, insides, findings } = soaked;
    const { log } = world.agent;
    const lines = linesPerFault(log, episodes);
    noteAll(soaked, lines);

    expect(unexplained(log, episodes, sampler.samples)).toEqual([]);
    expect(episodes.filter((episode) => !wasTold(log, episode)).map(nameOf)).toEqual([]);
    expect(episodes.filter(({ isResolved }) => !isResolved).map(nameOf)).toEqual([]);
    expect(loud(findings)).toEqual([]);
    expect(sampler.fallen).toEqual([]);
    expect(sampler.samples.filter(({ judged }) => judged === 0)).toEqual([]);

    const { early, late } = halves(sampler.samples);
    expect(mean(late, "anonymousMib") - mean(early, "anonymousMib")).toBeLessThan(MOST_GROWN_MIB);
    expect(most(late, "descriptors")).toBeLessThan(most(early, "descriptors") + 12);
    expect(most(late, "threads")).toBe(most(early, "threads"));
    expect(most(late, "series")).toBeLessThan(most(early, "series") + 40);
    expect(lines[1]).toBeLessThan(2 * lines[0] + 12);
    expect(insides.flatMap(({ warnings }) => warnings)).toEqual([]);
    expect(grownObjects(insides)).toEqual([]);
    expect(beyondBudget(soaked)).toEqual([]);
  });
});

const nameOf = ({ lane, fault }: Episode) => `${lane}: ${fault.name}`;

const loud = ({ active }: Soaked["findings"]) =>
  active
    .filter(({ severity, code }) => severity !== "info" && !isExcused(code))
    .map(({ code, target }) => `${code}@${target}`);

/** The second sixth and the last: before it the process settles. */
const halves = (samples: readonly Sample[]) => ({
  early: between(samples, 1 / 6, 1 / 3),
  late: between(samples, 5 / 6, 1),
});

const OBJECTS = ["timers", "signals", "emitters", "promises", "maps", "resources"] as const;

/** What there is more of at the end than ever before, by more than a tenth and a few. */
function grownObjects(insides: readonly Inside[]): readonly string[] {
  const last = insides.at(-1);
  return OBJECTS.filter((object) => {
    const before = Math.max(...insides.slice(0, -1).map((inside) => inside[object]));
    return last !== undefined && last[object] > 1.1 * before + 10;
  });
}

/** Servers that the agent visited, or pinged, more often than it may. */
function beyondBudget({ hours, episodes, counted }: Soaked): readonly string[] {
  return (["app", "payments"] as const).filter((server) => {
    const { connections, pings, idlePings } = counted[server];
    const faults = episodes.filter(({ lane }) => lane === server).length;
    const allowed = 10 + hours * VISITS_AN_HOUR[server] + faults * VISITS_OF_A_FAULT;
    return connections > allowed || pings > connections || idlePings > PINGS_WITHOUT_CALL;
  });
}

function noteAll(
  { hours, episodes, sampler: { samples }, insides, counted }: Soaked,
  lines: readonly number[],
): void {
  const { early, late } = halves(samples);
  const both = (figure: Figure, digits = 0) =>
    `${mean(early, figure).toFixed(digits)} ${mean(late, figure).toFixed(digits)}`;
  note("hours, and faults in them", `${hours.toFixed(2)} ${episodes.length}`);
  note("resident, MiB, early and late", both("residentMib", 2));
  note("anonymous, MiB, early and late", both("anonymousMib", 2));
  note("descriptors, early and late", both("descriptors", 1));
  note("threads, early and late", both("threads"));
  note("series, early and late", both("series"));
  note("lines for each fault, both halves", lines.map((count) => count.toFixed(1)).join(" "));
  note("codes judged, over all samples", `${samples.reduce((sum, one) => sum + one.judged, 0)}`);
  note("longest without evaluation, s", most(samples, "behindSeconds").toFixed(1));
  for (const object of OBJECTS) note(object, insides.map((inside) => inside[object]).join(" "));
  for (const [server, { connections, calls, pings, idlePings }] of Object.entries(counted)) {
    const hourly = [connections, calls, pings].map((count) => (count / hours).toFixed(0));
    note(`${server}: connections, calls, PINGs an hour`, hourly.join(" "));
    note(`${server}: most PINGs without a call`, `${idlePings}`);
  }
}
