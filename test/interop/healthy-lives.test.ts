import { describe, expect, it } from "vitest";
import { IMPLEMENTATIONS, type Peer } from "./peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  named,
  seconds,
  silent,
  toldLoudly,
  unjudgedOf,
} from "./scene.ts";

/** What servers do all day without being sick, with the default windows. */
const LONGEST_MS = 420_000;

describe.concurrent.each(IMPLEMENTATIONS)("beside %s nothing is named", (implementation) => {
  it("where connections have a maximum age", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation, ["--max-age", "10s"]);
    await server.command("delay 20ms");
    await aCaller(stage, implementation, [addressOf(server)]);
    const agent = await anAgent(stage, app(server));
    await silent(agent, 90);
    const judged = ["app-frozen", "deadline-storm", "health-not-serving", "connection-refused"];
    expect(await unjudgedOf(agent, judged)).toEqual([]);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("while the app pauses for a second and a half", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation);
    await aCaller(stage, implementation, [addressOf(server)]);
    const agent = await anAgent(stage, app(server));
    await silent(agent, 20);
    await pause(server);
    await silent(agent, 15);
    await pause(server);
    await silent(agent, 30);
    expect(await unjudgedOf(agent, ["app-frozen"])).toEqual([]);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("while the app is away for 20 s after a graceful stop", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const first = await aServer(stage, implementation);
    await aCaller(stage, implementation, [addressOf(first)]);
    const agent = await anAgent(stage, app(first));
    await silent(agent, 20);
    await first.command("graceful-stop");
    await first.stop();
    await silent(agent, 20);
    await aServer(stage, implementation, ["--listen", addressOf(first)]);
    await silent(agent, 100);
    expect(await unjudgedOf(agent, ["app-frozen", "deadline-storm"])).toEqual([]);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("while the app crashes and is back after 2 s", { timeout: LONGEST_MS }, async (stage) => {
    const first = await aServer(stage, implementation);
    await aCaller(stage, implementation, [addressOf(first)]);
    const agent = await anAgent(stage, app(first));
    await silent(agent, 20);
    await first.stop();
    await seconds(2);
    await aServer(stage, implementation, ["--listen", addressOf(first)]);
    await silent(agent, 100);
    expect(await unjudgedOf(agent, ["app-frozen", "deadline-storm"])).toEqual([]);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("where many connections carry a few streams each, until one is full", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const server = await aServer(stage, implementation, ["--max-streams", "10"]);
    const many = ["--connections", "150", "--rate", "5"] as const;
    const callers = await aCaller(stage, implementation, [addressOf(server), ...many]);
    await callers.command("hold 3");
    const agent = await anAgent(stage, app(server));
    await silent(agent, 100);
    expect(await unjudgedOf(agent, ["stream-exhaustion"])).toEqual([]);
    expect(toldLoudly(agent)).toEqual([]);
    const greedy = await aCaller(stage, implementation, [addressOf(server), "--rate", "0"]);
    await greedy.command("hold 10");
    const { evidence } = await named(agent, "stream-exhaustion", 120_000);
    expect(evidence).toMatchObject({ openStreams: 10, fullConnections: 1 });
  });

  it("where a connection carries one stream, or two", { timeout: LONGEST_MS }, async (stage) => {
    const one = await aServer(stage, implementation, ["--max-streams", "1"]);
    const two = await aServer(stage, implementation, ["--max-streams", "2"]);
    const agents = await Promise.all([one, two].map((server) => anAgent(stage, app(server))));
    await Promise.all(agents.map((agent) => silent(agent, 90)));
    const unjudged = agents.map((agent) => unjudgedOf(agent, ["app-frozen", "health-not-serving"]));
    expect(await Promise.all(unjudged)).toEqual([[], []]);
  });
});

/** As a long stop of a collector, or a throttled cgroup. */
async function pause(server: Peer): Promise<void> {
  server.signal("SIGSTOP");
  await seconds(1.5);
  server.signal("SIGCONT");
}

const app = (server: Peer) => `targets: [{ name: app, address: "${addressOf(server)}" }]`;
