import { describe, expect, it } from "vitest";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  named,
  type Stage,
  silent,
  toldLoudly,
} from "./scene.ts";

/** Servers without channelz, judged by what go-grpc-middleware exposes of them; defaults throughout. */
const LONGEST_MS = 420_000;

const aMeasuredServer = (stage: Stage, flags: readonly string[] = []) =>
  aServer(stage, "go", ["--channelz=false", "--metrics", ...flags]);

const watching = (server: Awaited<ReturnType<typeof aMeasuredServer>>) =>
  `targets: [{ name: app, address: "${addressOf(server)}", metrics: "${String(server.ready["metrics"])}" }]`;

describe.concurrent("by the app's own metrics alone", () => {
  it("names streams that fill a connection since before the agent began", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const server = await aMeasuredServer(stage, ["--max-streams", "50"]);
    const caller = await aCaller(stage, "go", [addressOf(server)]);
    await caller.command("hold 50");
    const agent = await anAgent(stage, watching(server));
    expect(await named(agent, "stream-exhaustion", 200_000)).toMatchObject({
      severity: "warning",
      subject: { side: "server" },
      evidence: { maxConcurrentStreams: 50, inFlight: 50 },
    });
  });

  // A second is a bound of the histogram's buckets: the calls fall on both sides of it.
  it("names calls that run past a deadline of a second", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const server = await aMeasuredServer(stage);
    await server.command("delay 3s");
    await aCaller(stage, "go", [addressOf(server), "--deadline", "1s"]);
    const agent = await anAgent(stage, watching(server));
    expect(await named(agent, "deadline-storm", 250_000)).toMatchObject({
      severity: "warning",
      evidence: { secondSource: ["metrics"] },
    });
  });

  it("says nothing of callers that cancel beside streams that stand", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const server = await aMeasuredServer(stage, ["--max-streams", "50"]);
    await server.command("delay 30ms");
    const caller = await aCaller(stage, "go", [addressOf(server)]);
    await caller.command("patience 20ms");
    await caller.command("hold 40");
    const agent = await anAgent(stage, watching(server));
    await silent(agent, 150);
    expect(toldLoudly(agent)).toEqual([]);
  });
});
