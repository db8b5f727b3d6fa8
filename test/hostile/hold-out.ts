import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTable, seconds } from "../interop/scene.ts";
import { asInTheImage } from "../soak/image.ts";
import { falls } from "../support/falls.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";
import type { GalleryName } from "./cases/index.ts";
import type { Watched } from "./hostile-case.ts";
import { startHostileServers } from "./start-servers.ts";
import { type VitalSigns, watchVitalSigns } from "./vital-signs.ts";

/** As long as the longest cadence of a default configuration, and a little: everything comes twice. */
const SECONDS = 35;
/** By then every server has been met. */
const SECONDS_UNTIL_SICK = 5;

/** Source: docs/limits.md, "Hostile servers, beside the built agent". */
const BOUNDS = {
  /** Of `/-/healthy`, the best of three in a row. */
  answerMs: 100,
  /** Of the agent's main thread, while any one answer is awaited. */
  stallMs: 500,
  /** Resident, ever; the limit of the manifests in deploy/. */
  peakMib: 160,
  /** Of the log, about one target. */
  lines: 40,
  /** Of `/metrics`, of one target. */
  series: 150,
  /** Of `/metrics`, in all. */
  allSeries: 1000,
};
/** Fewer answers than these show nothing. */
const LEAST_ASKED = 50;

const WELL = "well";
/** The case that is the agent's own collector. */
const COLLECTOR = "flood-collector";
/** Its runs are the spans that a collector gets. */
const TRACED = {
  name: "traced",
  target: WELL,
  method: "grpc.health.v1.Health/Check",
  every: "1s",
  deadline: "900ms",
};
const PATIENCE = { timeout: 60_000, interval: 250 };

interface Seen extends VitalSigns {
  readonly log: RunningAgent["log"];
  readonly metrics: string;
  readonly exit: number | null;
}

/**
 * One agent, as the image starts it, that watches every server of a gallery at once and one that is
 * well: while they do what they do it answers, stays small, says little, and still names what befalls the
 * one that is well. Each case names the codes that may be told of it.
 */
export function holdsOutAgainst(
  gallery: GalleryName,
  cases: Readonly<Record<string, readonly string[]>>,
): void {
  let seen: Seen;
  const table = createTable();

  beforeAll(async () => {
    seen = await lookAt(gallery, Object.keys(cases));
  }, 150_000);
  afterAll(() => table.print(gallery));

  test.for(Object.entries(cases))("%s", ([name, codes]) => {
    const lines = seen.log.filter((line) => isAbout(line, name));
    const series = seriesOf(seen.metrics).filter((line) => line.includes(`target="${name}"`));
    table.note(name, "lines", String(lines.length));
    table.note(name, "series", String(series.length));
    table.note(name, "codes", accusationsOf(lines).join());
    expect.soft(accusationsOf(lines).filter((code) => !codes.includes(code))).toEqual([]);
    expect.soft(lines.length).toBeLessThanOrEqual(BOUNDS.lines);
    expect(series.length).toBeLessThanOrEqual(BOUNDS.series);
  });

  test("the agent answers, stays small and says little", () => {
    const { computedMs, answeredMs, asked, peakMib, log, metrics, exit } = seen;
    table.note("(all)", "computed", `${computedMs.toFixed(1)} ms`);
    table.note("(all)", "answered", `${answeredMs.toFixed(1)} ms`);
    table.note("(all)", "peak", `${peakMib.toFixed(1)} MiB`);
    table.note("(all)", "lines", String(log.length));
    table.note("(all)", "series", String(seriesOf(metrics).length));
    expect.soft(asked).toBeGreaterThan(LEAST_ASKED);
    expect.soft(computedMs).toBeLessThanOrEqual(BOUNDS.stallMs);
    expect.soft(answeredMs).toBeLessThanOrEqual(BOUNDS.answerMs);
    expect.soft(peakMib).toBeLessThanOrEqual(BOUNDS.peakMib);
    expect.soft(seriesOf(metrics).length).toBeLessThanOrEqual(BOUNDS.allSeries);
    expect.soft(log.filter(isBugOfOurs)).toEqual([]);
    expect(exit).toBe(0);
  });

  test("the server that is well is accused of what it has, and of nothing else", () => {
    const lines = seen.log.filter((line) => isAbout(line, WELL));
    expect(accusationsOf(lines)).toEqual(["health-not-serving"]);
  });
}

async function lookAt(gallery: GalleryName, names: readonly string[]): Promise<Seen> {
  const servers = await startHostileServers(gallery, names);
  const well = await startGrpcServer();
  const agent = await startRunningAgent(configurationOf(servers.watched, well), asInTheImage());
  try {
    const signs = watchVitalSigns(agent);
    await seconds(SECONDS_UNTIL_SICK);
    await falls(well, agent, WELL);
    await seconds(SECONDS - SECONDS_UNTIL_SICK);
    await vi.waitUntil(
      () => accusationsOf(agent.log.filter((line) => isAbout(line, WELL))).length > 0,
      PATIENCE,
    );
    const vital = await signs.stop();
    const metrics = await agent.metrics();
    return { ...vital, metrics, log: agent.log, exit: await agent.stop() };
  } finally {
    well.crash();
    await servers.stop();
  }
}

function configurationOf(watched: Readonly<Record<string, Watched>>, well: GrpcServer): string {
  const hostile = Object.entries(watched);
  const targets = hostile.flatMap(([name, { target }]) =>
    target === undefined ? [] : [{ name, ...target }],
  );
  const probes = hostile.flatMap(([name, { probe }]) =>
    probe === undefined ? [] : [{ name, target: name, every: "5s", deadline: "2s", ...probe }],
  );
  const [endpoint] = hostile.flatMap(([, { collector }]) => collector ?? []);
  // JSON is YAML.
  return JSON.stringify({
    targets: [...targets, { name: WELL, address: well.address }],
    probes: endpoint === undefined ? probes : [...probes, TRACED],
    ...(endpoint === undefined ? {} : { tracing: { endpoint, ratio: 1 } }),
  });
}

type Line = RunningAgent["log"][number];

function isAbout(line: Line, name: string): boolean {
  if (line["component"] === "otlp") return name === COLLECTOR;
  const finding = line["finding"] as { readonly target?: string } | undefined;
  return line["target"] === name || finding?.target === name;
}

/** Codes told at warning or above, each once, sorted. */
function accusationsOf(lines: readonly Line[]): readonly string[] {
  const opened = lines.filter(
    ({ level, finding }) => (level === "warn" || level === "error") && finding !== undefined,
  );
  const codes = opened.map(({ finding }) => String((finding as { readonly code?: string }).code));
  return [...new Set(codes)].toSorted();
}

/** The words of the agent's log for an error of its own. */
const isBugOfOurs = ({ msg }: Line) => String(msg).startsWith("a bug of ours");

const seriesOf = (metrics: string) =>
  metrics.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
