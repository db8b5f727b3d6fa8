import { describe, expect, it } from "vitest";
import { bundle, issue, issueCa, writeFiles } from "../support/certificates.ts";
import { startResolver } from "../support/resolver.ts";
import { IMPLEMENTATIONS } from "./peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  portOf,
  silent,
  toldLoudly,
  unjudgedOf,
} from "./scene.ts";

/** What looks like one of the four faults and is none, on real peers and with the default windows. */
const LONGEST_MS = 420_000;

describe.concurrent.each(IMPLEMENTATIONS)("beside %s nothing is named", (implementation) => {
  // The longest first: none of them is waited for alone.
  it("where a backend that left DNS drains for 170 s", { timeout: LONGEST_MS }, async (stage) => {
    const zone = await startResolver({ "orders.test": { a: ["127.0.0.2"], ttlSeconds: 5 } });
    stage.onTestFinished(() => zone.close());
    const old = await aServer(stage, implementation, ["--listen", "127.0.0.2:0"]);
    await aServer(stage, implementation, ["--listen", `127.0.0.3:${portOf(old)}`]);
    const upstream = `dns://${zone.address}/orders.test:${portOf(old)}`;
    // Without channelz nobody can tell whether the connection still takes new streams.
    const server = await aServer(stage, implementation, ["--calls", upstream, "--channelz=false"]);
    const agent = await anAgent(stage, watching(server.ready["address"], upstream));
    await silent(agent, 35);
    zone.script({ "orders.test": { a: ["127.0.0.3"], ttlSeconds: 5 } });
    // An address is missed from its last answer on, up to 30 s before it left.
    await silent(agent, 145);
    expect(await unjudgedOf(agent, ["dns-stale"], "orders")).toEqual([]);
    await old.stop();
    await silent(agent, 30);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("where the answers of DNS rotate", { timeout: LONGEST_MS }, async (stage) => {
    const addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4"] as const;
    const zone = await startResolver({
      "orders.test": { a: addresses, ttlSeconds: 5, isRotating: true },
    });
    stage.onTestFinished(() => zone.close());
    const first = await aServer(stage, implementation, ["--listen", `${addresses[0]}:0`]);
    await aServer(stage, implementation, ["--listen", `${addresses[1]}:${portOf(first)}`]);
    await aServer(stage, implementation, ["--listen", `${addresses[2]}:${portOf(first)}`]);
    const upstream = `dns://${zone.address}/orders.test:${portOf(first)}`;
    const server = await aServer(stage, implementation, ["--calls", upstream]);
    const agent = await anAgent(stage, watching(server.ready["address"], upstream));
    await silent(agent, 200);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["dns-stale"], "orders")).toEqual([]);
  });

  it("where the certificate covers the name among others", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const ca = await issueCa();
    const leaf = await issue({ issuer: ca, dns: ["payments.shop.svc", "*.shop.svc"] });
    const { paths, remove } = await writeFiles({
      ca: ca.cert,
      cert: bundle(leaf, ca),
      key: leaf.key,
    });
    stage.onTestFinished(remove);
    const server = await aServer(stage, implementation, ["--cert", paths.cert, "--key", paths.key]);
    const agent = await anAgent(
      stage,
      `targets: [{ name: app, address: "${addressOf(server)}", authority: Orders.Shop.svc, tls: { ca: ${paths.ca} } }]`,
    );
    await silent(agent, 90);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["tls-san-mismatch"])).toEqual([]);
  });

  it("where a server is busy below its limit", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation, ["--max-streams", "50"]);
    const caller = await aCaller(stage, implementation, [addressOf(server), "--rate", "100"]);
    await server.command("delay 100ms");
    await caller.command("hold 25");
    const agent = await anAgent(stage, `targets: [{ name: app, address: "${addressOf(server)}" }]`);
    await silent(agent, 120);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["stream-exhaustion"])).toEqual([]);
  });

  it("where callers cancel and the server is fast", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation);
    const caller = await aCaller(stage, implementation, [addressOf(server)]);
    await server.command("delay 30ms");
    await caller.command("patience 20ms");
    const agent = await anAgent(stage, `targets: [{ name: app, address: "${addressOf(server)}" }]`);
    await silent(agent, 120);
    const { results } = await caller.command("stats");
    expect(Object.keys(results as object)).toContain(
      implementation === "go" ? "Canceled" : "CANCELLED",
    );
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["deadline-storm"])).toEqual([]);
  });

  it("where streams stand open beside them", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation);
    await server.command("delay 30ms");
    const watcher = await aCaller(stage, implementation, [addressOf(server), "--rate", "0"]);
    await watcher.command("hold 60");
    const caller = await aCaller(stage, implementation, [addressOf(server)]);
    await caller.command("patience 20ms");
    const agent = await anAgent(stage, `targets: [{ name: app, address: "${addressOf(server)}" }]`);
    await silent(agent, 120);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["deadline-storm"])).toEqual([]);
  });

  it.for([
    ["watches", "renew 1 10s"],
    ["idle watches", "renew 1 10s idle"],
  ] as const)(
    "where clients end their %s and open them anew",
    {
      timeout: LONGEST_MS,
    },
    async ([, renew], stage) => {
      const server = await aServer(stage, implementation);
      const watchers = ["--rate", "0", "--connections", "20"];
      const watcher = await aCaller(stage, "go", [addressOf(server), ...watchers]);
      await watcher.command(renew);
      const agent = await anAgent(
        stage,
        `targets: [{ name: app, address: "${addressOf(server)}" }]`,
      );
      await silent(agent, 150);
      expect(toldLoudly(agent)).toEqual([]);
    },
  );
});

const watching = (address: unknown, upstream: string) => `targets:
  - { name: app, address: "${String(address)}" }
  - { name: orders, role: upstream, address: "${upstream}" }
`;
