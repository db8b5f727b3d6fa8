import { afterAll, describe, expect, it } from "vitest";
import { startResolver } from "../support/resolver.ts";
import { IMPLEMENTATIONS, type Implementation } from "./peer.ts";
import {
  addressOf,
  anAgent,
  aServer,
  createTable,
  named,
  portOf,
  type Stage,
  seconds,
  silent,
  toldLoudly,
  unjudgedOf,
} from "./scene.ts";

/**
 * An app that calls a name with more than one address. It makes 120 calls a minute; ten minutes with one
 * address are a minute here, which is the least that a configuration may ask for.
 */
const LONGEST_MS = 300_000;
/** Half of what the app makes, as a busy machine makes fewer. */
const MIN_CALL_RATE = 60;
const HOMES = ["127.0.0.2", "127.0.0.3"] as const;
/** Half as long again as the loud one takes. */
const PATIENCE_SECONDS = 100;
const [ANY = "go"] = IMPLEMENTATIONS;
const table = createTable();
afterAll(() => table.print("all calls to one of two → named"));

describe.concurrent.each(IMPLEMENTATIONS)("on %s", (implementation) => {
  it("names an app that sends all calls to one of two", { timeout: LONGEST_MS }, async (stage) => {
    const upstream = await twoReplicas(stage, implementation);
    const agent = await anAgent(stage, await anApp(stage, implementation, [upstream]));
    const finding = await table.timed("l4-pinning", implementation, () =>
      named(agent, "l4-pinning", 150_000),
    );
    expect(finding).toMatchObject({
      severity: "warning",
      target: "orders",
      subject: { name: "orders.test" },
      evidence: { addresses: HOMES, connections: 1 },
    });
    expect(HOMES).toContain(finding.evidence["connectedTo"]);
    expect(finding.evidence["callsPerMinute"]).toBeGreaterThan(MIN_CALL_RATE);
    await silent(agent, 20, ["l4-pinning"]);
  });

  it("is content where calls are spread", { timeout: LONGEST_MS }, async (stage) => {
    const upstream = await twoReplicas(stage, implementation);
    const spread = await anApp(stage, implementation, [upstream, "--policy", "round_robin"]);
    const agent = await anAgent(stage, spread);
    await silent(agent, PATIENCE_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["l4-pinning"], "orders")).toEqual([]);
  });
});

/** What DNS says of the replicas: it is all one to the client. */
describe.concurrent(`on ${ANY}`, () => {
  it("is content with a single replica", { timeout: LONGEST_MS }, async (stage) => {
    const upstream = await twoReplicas(stage, ANY, { a: [HOMES[0]] });
    const agent = await anAgent(stage, await anApp(stage, ANY, [upstream]));
    await silent(agent, PATIENCE_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
    // One address may be a balancer's: what is behind it cannot be seen.
    expect(await unjudgedOf(agent, ["l4-pinning"], "orders")).toEqual([
      "l4-pinning: what was seen does not tell: it takes an answer of DNS with two addresses or more, without a mesh in between, and time enough: ten minutes of the app's calls and connections",
    ]);
  });

  it("is content where each answer names one of a set that rotates", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const upstream = await twoReplicas(stage, ANY, { a: HOMES, isRotating: true });
    const agent = await anAgent(stage, await anApp(stage, ANY, [upstream]));
    await silent(agent, PATIENCE_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("is content where the other replica accepts nobody", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const one = await aServer(stage, ANY, ["--listen", `${HOMES[0]}:0`]);
    const upstream = await nameOf(stage, portOf(one), { a: HOMES });
    const agent = await anAgent(stage, await anApp(stage, ANY, [upstream]));
    await seconds(PATIENCE_SECONDS);
    // That it refuses is another matter, and told after 30 s.
    expect(new Set(toldLoudly(agent))).toEqual(new Set(["connection-refused"]));
  });

  it.runIf(IMPLEMENTATIONS.includes("go"))(
    "is content where a control plane chose the one",
    {
      timeout: LONGEST_MS,
    },
    async (stage) => {
      const upstream = await twoReplicas(stage, "go");
      const name = `xds:///orders.test:${upstream.split(":").at(-1)}`;
      const chosen = `${HOMES[0]}:${upstream.split(":").at(-1)}`;
      const app = await aServer(stage, "go", ["--calls", name, "--lookaside", chosen]);
      const agent = await anAgent(stage, configuration(addressOf(app), upstream));
      await silent(agent, PATIENCE_SECONDS);
      expect(toldLoudly(agent)).toEqual([]);
      expect(await unjudgedOf(agent, ["l4-pinning"], "orders")).toEqual([]);
    },
  );
});

/** Two replicas behind one name: the target that a client and a configuration give. */
async function twoReplicas(
  stage: Stage,
  implementation: Implementation,
  answer: Parameters<typeof nameOf>[2] = { a: HOMES },
): Promise<string> {
  const one = await aServer(stage, implementation, ["--listen", `${HOMES[0]}:0`]);
  await aServer(stage, implementation, ["--listen", `${HOMES[1]}:${portOf(one)}`]);
  return nameOf(stage, portOf(one), answer);
}

async function nameOf(
  stage: Stage,
  port: number,
  answer: { readonly a: readonly string[]; readonly isRotating?: boolean },
): Promise<string> {
  const zone = await startResolver({ "orders.test": { ...answer, ttlSeconds: 5 } });
  stage.onTestFinished(() => zone.close());
  return `dns://${zone.address}/orders.test:${port}`;
}

/** An app that calls it, and what the agent beside it is told. */
async function anApp(
  stage: Stage,
  implementation: Implementation,
  calls: readonly [upstream: string, ...rest: readonly string[]],
): Promise<string> {
  const app = await aServer(stage, implementation, ["--calls", ...calls]);
  return configuration(addressOf(app), calls[0]);
}

const configuration = (app: string, upstream: string) => `targets:
  - { name: app, address: "${app}" }
  - { name: orders, role: upstream, address: "${upstream}" }
findings: { l4-pinning: { pinned: 60s, pinnedBlind: 60s, minCallRate: ${MIN_CALL_RATE} } }
`;
