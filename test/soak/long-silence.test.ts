import { afterAll, describe, expect, it } from "vitest";
import { IMPLEMENTATIONS, type Implementation, type Peer } from "../interop/peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  createTable,
  named,
  seconds,
  toldLoudly,
} from "../interop/scene.ts";
import { isExcused, type RunningAgent } from "../support/running-agent.ts";
import { asInTheImage } from "./image.ts";

/**
 * Long silence beside a healthy, loaded server that is restarted once, as a rollout does it; then one
 * thing breaks and is named. Silence is worth something only where the agent judged, so the judgements
 * are counted: a code has a `finding_severity` at a scrape when it was judged in that evaluation.
 *
 * `GRPC_DOCTOR_SOAK_SECONDS` is the length: 20 by default, 120 in `.ci/run`. With 600 the memory from
 * minute 4 to minute 10 must grow by less than 1 MiB. A Node process takes three minutes to settle, so
 * that a shorter run only tells a leak of a kind that would fill the pod: under 24 MiB in its second half.
 */
const SOAK_SECONDS = Number(process.env["GRPC_DOCTOR_SOAK_SECONDS"] ?? "20");
const SETTLED_SECONDS = 600;
const MIB = 2 ** 20;

/** What is broken at the end, and what it is called. */
const BREAKS: Readonly<
  Record<Implementation, { readonly command: string; readonly code: string }>
> = {
  go: { command: "stop", code: "connection-refused" },
  node: { command: "health NOT_SERVING", code: "health-not-serving" },
  java: { command: "stop", code: "connection-refused" },
  python: { command: "health NOT_SERVING", code: "health-not-serving" },
};

const table = createTable();
afterAll(() => table.print(`${SOAK_SECONDS} s of silence`));

describe.concurrent.each(IMPLEMENTATIONS)("beside %s", (implementation) => {
  it("is silent while nothing is wrong, and not after", async (stage) => {
    const first = await aServer(stage, implementation);
    const caller = await aCaller(stage, implementation, [addressOf(first), "--rate", "50"]);
    await first.command("delay 20ms");
    await caller.command("hold 5");
    const agent = await anAgent(
      stage,
      `targets: [{ name: app, address: "${addressOf(first)}" }]`,
      asInTheImage(),
    );

    const before = await listen(agent, SOAK_SECONDS / 2);
    const second = await restart(first, () =>
      aServer(stage, implementation, ["--listen", addressOf(first)]),
    );
    await second.command("delay 20ms");
    const after = await listen(agent, SOAK_SECONDS / 2);
    const scrapes = [...before, ...after];

    const grownMiB = growth(scrapes) / MIB;
    const judged = scrapes.flatMap((scrape) => scrape.judged);
    table.note("evaluations looked at", implementation, `${scrapes.length}`);
    table.note("judgements in them", implementation, `${judged.length}`);
    table.note("codes judged at least once", implementation, `${new Set(judged).size}`);
    table.note("memory at the end, MiB", implementation, megabytes(scrapes.at(-1)?.bytes));
    table.note("memory grown, MiB", implementation, grownMiB.toFixed(2));

    expect(toldLoudly(agent)).toEqual([]);
    expect(agent.log.filter(({ level, finding }) => level !== "info" && !finding)).toEqual([]);
    expect(scrapes.flatMap(({ loud }) => loud).filter((code) => !isExcused(code))).toEqual([]);
    expect(judged.length).toBeGreaterThan(scrapes.length);
    expect(grownMiB).toBeLessThan(SOAK_SECONDS < SETTLED_SECONDS ? 24 : 1);

    const { command, code } = BREAKS[implementation];
    await second.command(command);
    await table.timed(`${code}, broken at the end`, implementation, () =>
      named(agent, code, 120_000),
    );
    expect(new Set(toldLoudly(agent))).toEqual(new Set([code]));
  });
});

/** What one scrape of /metrics showed. */
interface Scrape {
  readonly judged: readonly string[];
  /** Active at warning or above. */
  readonly loud: readonly string[];
  readonly bytes: number;
}

/** One scrape a second: the agent evaluates as often. */
async function listen(agent: RunningAgent, forSeconds: number): Promise<readonly Scrape[]> {
  const end = performance.now() + forSeconds * 1_000;
  const scrapes: Scrape[] = [];
  while (performance.now() < end) {
    const [text] = await Promise.all([agent.metrics(), seconds(1)]);
    const severities = [
      ...text.matchAll(/^grpc_doctor_finding_severity\{.*code="([^"]+)".*\} (\d)$/gm),
    ];
    scrapes.push({
      judged: severities.map(([, code = ""]) => code),
      loud: severities.flatMap(([, code = "", severity]) => (Number(severity) > 1 ? [code] : [])),
      bytes: Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]),
    });
  }
  return scrapes;
}

/** As a rollout: NOT_SERVING, GOAWAY, the end of the process, and a new one on the same port. */
async function restart(server: Peer, start: () => Promise<Peer>): Promise<Peer> {
  await Promise.race([server.command("graceful-stop"), seconds(2)]);
  await server.stop();
  return start();
}

/** From the mean of minute 4 to that of minute 10; in a shorter run from half-time to the end. */
function growth(scrapes: readonly Scrape[]): number {
  const isShort = SOAK_SECONDS < SETTLED_SECONDS;
  const share = isShort ? 0.1 : 60 / SOAK_SECONDS;
  const from = isShort ? 0.5 : 240 / SOAK_SECONDS;
  return meanBytes(scrapes, 1 - share) - meanBytes(scrapes, from, from + share);
}

function meanBytes(scrapes: readonly Scrape[], from: number, to = 1): number {
  const part = scrapes.slice(Math.floor(from * scrapes.length), Math.ceil(to * scrapes.length));
  return part.reduce((sum, { bytes }) => sum + bytes, 0) / part.length;
}

const megabytes = (bytes = Number.NaN) => (bytes / MIB).toFixed(1);
