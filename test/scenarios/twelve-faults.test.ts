import { describe, it } from "vitest";
import { FAULTS } from "../../src/demo/faults.ts";
import { watchWorld } from "../support/demo-world.ts";
import { isExcused } from "../support/running-agent.ts";

/** Who is accused of what; nobody is accused of anything else. */
const ACCUSED: Readonly<Record<string, string>> = {
  "tls-san-mismatch": "payments",
  "tls-cert-expired": "payments",
  "tls-plaintext-mismatch": "orders",
  "loopback-only": "orders",
  "dns-stale": "inventory",
  "dns-failing": "inventory",
  "deadline-storm": "orders",
  "stream-exhaustion": "orders",
  "health-not-serving": "orders",
  "app-frozen": "orders",
  "not-grpc": "orders",
  "connection-refused": "orders",
};
/** One fault of each kind of source: the end of a finding takes a minute and more. */
const TO_THE_END = new Set(["dns-stale", "stream-exhaustion", "app-frozen", "connection-refused"]);
/** As long as each is watched before it is broken, and while it is sick. */
const HEALTHY_MS = 5_000;
const SICK_MS = 15_000;

const WATCHED = FAULTS.map((fault) => ({ fault, root: [`${fault.code}@${ACCUSED[fault.code]}`] }));

describe.concurrent("the demo's world, broken in one way", () => {
  it.for(WATCHED)("is told just $root.0", async ({ fault, root }, { expect, onTestFinished }) => {
    const { world, agent, stop } = await watchWorld();
    onTestFinished(stop);
    await agent.staysQuiet(HEALTHY_MS);

    await world.break(fault);
    await agent.active(root);
    const { active } = await agent.stays(root, SICK_MS);
    const told = active.filter(({ code }) => !isExcused(code));
    expect(told).toMatchObject([{ code: fault.code, remedy: expect.any(String) }]);

    await world.heal(fault);
    await agent.active(TO_THE_END.has(fault.code) ? [] : root);
  });
});
