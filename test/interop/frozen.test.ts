import { afterAll, describe, it } from "vitest";
import { IMPLEMENTATIONS } from "./peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  createTable,
  named,
  resolved,
  seconds,
  silent,
  toldLoudly,
  unjudgedOf,
} from "./scene.ts";

/** A process that stands still. What the agent says of its own standstill is in manners.test.ts. */
const LONGEST_MS = 420_000;
const WITHIN_MS = 120_000;
/** As long as a full collection of a large heap. */
const PAUSE_SECONDS = 2;
const table = createTable();
afterAll(() => table.print("stopped → named, goes on → resolved"));

describe.concurrent.each(IMPLEMENTATIONS)("on %s", (implementation) => {
  it("names a process that was stopped, and none that paused", {
    timeout: LONGEST_MS,
  }, async ({ expect, onTestFinished }) => {
    const stage = { onTestFinished };
    const server = await aServer(stage, implementation);
    await aCaller(stage, implementation, [addressOf(server), "--rate", "5"]);
    const agent = await anAgent(stage, `targets: [{ name: app, address: "${addressOf(server)}" }]`);
    // Timing is judged from 30 s after the first look on, and while the agent has time itself.
    await expect
      .poll(() => unjudgedOf(agent, ["app-frozen"]), { timeout: WITHIN_MS, interval: 1_000 })
      .toEqual([]);
    server.signal("SIGSTOP");
    await seconds(PAUSE_SECONDS);
    server.signal("SIGCONT");
    await silent(agent, 15);

    server.signal("SIGSTOP");
    const finding = await table.timed("named", implementation, () =>
      named(agent, "app-frozen", WITHIN_MS),
    );
    expect(finding).toMatchObject({ target: "app", evidence: { flavour: "stopped" } });
    await silent(agent, 10, ["app-frozen"]);
    server.signal("SIGCONT");
    await table.timed("resolved", implementation, () => resolved(agent, 200_000));
    expect(toldLoudly(agent)).toEqual(["app-frozen"]);
  });
});
