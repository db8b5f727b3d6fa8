import { availableParallelism, loadavg } from "node:os";
import { afterAll, describe, expect, it } from "vitest";
import { addressOf, anAgent, aServer, createTable, named, toldLoudly } from "../interop/scene.ts";
import { ghz, locust, type Outcome } from "./generators.ts";

/** What docs/kubernetes.md begins with, in ms and as a share. */
const TARGETS = { p50: 10, p95: 50, p99: 200, errors: 0.001 };
/** A call takes so long while nobody waits for a stream. */
const HANDLER_MS = 100;
const STREAMS = 20;
const WORKERS = 60;

const table = createTable();
afterAll(() => table.print("load, with the agent beside the server"));

describe.concurrent("with the agent beside it, the sample service keeps its targets", () => {
  it.for([
    ["ghz", "node", (address: string) => ghz(address, ["-n", "2000", "--rps", "250", "-c", "10"])],
    ["Locust", "go", (address: string) => locust(address, ["-u", "5", "-r", "5", "-t", "8s"])],
  ] as const)("under %s, in %s", async ([generator, implementation, load], stage) => {
    const server = await aServer(stage, implementation);
    const agent = await anAgent(stage, app(addressOf(server)));
    const outcome = await load(addressOf(server));
    note(generator, outcome);
    expect(outcome.calls).toBeGreaterThan(200);
    expect(missed(outcome)).toEqual([]);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("and at its bottleneck the agent names it, where a generator sees slow calls", async (stage) => {
    const server = await aServer(stage, "go", ["--max-streams", `${STREAMS}`]);
    await server.command(`delay ${HANDLER_MS}ms`);
    const agent = await anAgent(stage, app(addressOf(server)));
    const oneConnection = ["--connections", "1", "-c", `${WORKERS}`, "-n", "6000"];
    const [outcome, finding] = await Promise.all([
      ghz(addressOf(server), oneConnection),
      table.timed("stream-exhaustion", "named after", () =>
        named(agent, "stream-exhaustion", 60_000),
      ),
    ]);
    note("ghz, too many for one connection", outcome);
    expect(outcome).toMatchObject({ errors: 0, calls: 6_000 });
    expect(outcome.p50).toBeGreaterThan(2 * HANDLER_MS);
    expect(finding.evidence).toMatchObject({ maxConcurrentStreams: STREAMS });
    expect(toldLoudly(agent)).toEqual(["stream-exhaustion"]);
  });
});

const app = (address: string) => `targets: [{ name: app, address: "${address}" }]`;

/** Of a machine on which more wants to run than can, each has a share of the time. */
const crowd = () => Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());

function missed(outcome: Outcome): readonly string[] {
  const latencies = (["p50", "p95", "p99"] as const).filter(
    (name) => !(outcome[name] < TARGETS[name] * crowd()),
  );
  const errors = outcome.errors < TARGETS.errors ? [] : ["errors" as const];
  return [...latencies, ...errors].map((name) => `${name}: ${outcome[name]}`);
}

function note(row: string, outcome: Outcome): void {
  for (const name of ["p50", "p95", "p99"] as const)
    table.note(row, `${name}, ms`, outcome[name].toFixed(1));
  table.note(row, "machine, times full", crowd().toFixed(1));
  table.note(row, "errors", outcome.errors.toFixed(4));
  table.note(row, "calls", `${outcome.calls}`);
}
