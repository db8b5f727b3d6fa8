import { describe, expect, it } from "vitest";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { IMPLEMENTATIONS } from "./peer.ts";
import {
  addressOf,
  anAgent,
  aServer,
  named,
  portOf,
  resolved,
  silent,
  toldLoudly,
} from "./scene.ts";

const LONGEST_MS = 420_000;
const WITHIN_MS = 180_000;

/** A minute stands for five: the limits are for the tests of the detector. */
const watching = (address: string) => `
targets:
  - { name: app, address: "${address}" }
findings:
  connection-churn: { ends: 3, life: 20s, lasting: 1m, clearAfter: 60s }
`;

describe.concurrent.each(IMPLEMENTATIONS)("connections to %s", (implementation) => {
  it("that last ten seconds on purpose are worth knowing, and no fault", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const server = await aServer(stage, implementation, ["--max-age", "10s"]);
    const agent = await anAgent(stage, watching(addressOf(server)));
    await silent(agent, 120);
    expect(toldLoudly(agent)).toEqual([]);
    expect((await agent.findings()).active).toMatchObject([
      { code: "connection-churn", severity: "info", evidence: { cause: "max-age" } },
    ]);
  });

  it("that a hop cuts again and again are told, until it lets them be", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const server = await aServer(stage, implementation);
    const cuts: { afterMs: number | undefined } = { afterMs: 3_000 };
    const hop = await startTcpProxy({ to: portOf(server), without: "close", cuts });
    stage.onTestFinished(() => hop.stop());
    const agent = await anAgent(stage, watching(hop.address));
    const { evidence } = await named(agent, "connection-churn", WITHIN_MS);
    // A hop that resets what it reads from may have passed a FIN on.
    expect(evidence).toMatchObject({
      cause: "unknown",
      endedBy: expect.stringMatching(/^(?:rst|fin)$/),
    });
    cuts.afterMs = undefined;
    await resolved(agent, WITHIN_MS);
  });
});
