import { afterAll, describe, expect, it } from "vitest";
import { IMPLEMENTATIONS } from "./peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  createTable,
  named,
  seconds,
  toldLoudly,
} from "./scene.ts";

/** Storms that no baseline can know: it was never better, or there is hardly a call to learn from. */
const LONGEST_MS = 720_000;
const table = createTable();
afterAll(() => table.print("a storm without a past → named"));

describe.concurrent.each(IMPLEMENTATIONS)("on %s", (implementation) => {
  it("names a storm that is older than the agent", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation);
    await server.command("delay 3s");
    await aCaller(stage, implementation, [addressOf(server), "--deadline", "1.2s"]);
    await seconds(5);
    const agent = await anAgent(stage, `targets: [{ name: app, address: "${addressOf(server)}" }]`);
    await table.timed("sick from the first second", implementation, () =>
      named(agent, "deadline-storm", 200_000),
    );
    expect(toldLoudly(agent)).toEqual(["deadline-storm"]);
  });

  // Ten bad calls are needed, 200 s at this rate, and the hold of 20 s; where the polls meet none of
  // them in flight for long, up to two minutes more. Defaults throughout.
  it("names three calls a minute that all fail", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation);
    await server.command("delay 30s");
    const rare = ["--rate", "0.05", "--deadline", "3s"];
    await aCaller(stage, implementation, [addressOf(server), ...rare]);
    const agent = await anAgent(stage, `targets: [{ name: app, address: "${addressOf(server)}" }]`);
    await table.timed("three calls a minute, all failing", implementation, () =>
      named(agent, "deadline-storm", 600_000),
    );
    expect(toldLoudly(agent)).toEqual(["deadline-storm"]);
  });
});
