import { afterAll, describe, expect, it } from "vitest";
import { bundle, issue, issueCa, writeFiles } from "../support/certificates.ts";
import { startResolver } from "../support/resolver.ts";
import { IMPLEMENTATIONS } from "./peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  createTable,
  named,
  portOf,
  resolved,
  type Stage,
  silent,
  toldLoudly,
} from "./scene.ts";

/**
 * What the product is known for, on real peers: each fault is broken for real, named alone, healed, and
 * resolved. Detection is with the default windows and cadences; where clearAfter is longer by default
 * (dns-stale 2 m, deadline-storm 3 m) it is its minimum of a minute here.
 */
const LONGEST_MS = 420_000;
const table = createTable();
afterAll(() => table.print("fault → named, healed → resolved"));

describe.concurrent.each(IMPLEMENTATIONS)("on %s", (implementation) => {
  // The longest first: it is not waited for alone.
  it("names an address that has left DNS", { timeout: LONGEST_MS }, async (stage) => {
    const zone = await startResolver({ "orders.test": { a: ["127.0.0.2"], ttlSeconds: 5 } });
    stage.onTestFinished(() => zone.close());
    const old = await aServer(stage, implementation, ["--listen", "127.0.0.2:0"]);
    await aServer(stage, implementation, ["--listen", `127.0.0.3:${portOf(old)}`]);
    const upstream = `dns://${zone.address}/orders.test:${portOf(old)}`;
    const server = await aServer(stage, implementation, ["--calls", upstream]);
    const agent = await anAgent(
      stage,
      `targets:
  - { name: app, address: "${addressOf(server)}" }
  - { name: orders, role: upstream, address: "${upstream}" }
findings: { dns-stale: { clearAfter: 60s } }`,
    );
    await silent(agent, 70);
    zone.script({ "orders.test": { a: ["127.0.0.3"], ttlSeconds: 5 } });
    const finding = await table.timed("dns-stale", implementation, () =>
      named(agent, "dns-stale", 240_000),
    );
    expect(finding).toMatchObject({
      target: "orders",
      subject: { name: "orders.test" },
      evidence: { staleAddresses: ["127.0.0.2"], currentAddresses: ["127.0.0.3"] },
    });
    await old.stop();
    await table.timed("dns-stale: resolved", implementation, () => resolved(agent, 200_000));
    expect(toldLoudly(agent)).toEqual(["dns-stale"]);
  });

  it("names a certificate that does not cover the clients' name", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const certificates = await someCertificates(stage);
    const wrong = await aServer(stage, implementation, certificates.other);
    const listen = ["--listen", addressOf(wrong)];
    const agent = await anAgent(
      stage,
      `targets: [{ name: app, address: "${addressOf(wrong)}", authority: orders.shop.svc, tls: { ca: ${certificates.ca} } }]
findings: { connection-refused: { restart: 30s } } # so long may a crowded machine take for a JVM
`,
    );
    const finding = await table.timed("tls-san-mismatch", implementation, () =>
      named(agent, "tls-san-mismatch", 60_000),
    );
    expect(finding).toMatchObject({
      severity: "critical",
      target: "app",
      subject: { name: "orders.shop.svc" },
      evidence: { cause: "other-names", sans: ["payments.shop.svc"] },
    });
    await wrong.stop();
    await aServer(stage, implementation, [...listen, ...certificates.right]);
    await table.timed("tls-san-mismatch: resolved", implementation, () => resolved(agent, 200_000));
    expect(toldLoudly(agent)).toEqual(["tls-san-mismatch"]);
  });

  it("names streams that fill a connection", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation, ["--max-streams", "10"]);
    const caller = await aCaller(stage, implementation, [addressOf(server)]);
    const agent = await anAgent(stage, app(server));
    await silent(agent, 15);
    await caller.command("hold 10");
    const finding = await table.timed("stream-exhaustion", implementation, () =>
      named(agent, "stream-exhaustion", 90_000),
    );
    expect(finding).toMatchObject({
      target: "app",
      subject: { side: "server" },
      evidence: { maxConcurrentStreams: 10, openStreams: 10, fullConnections: 1 },
    });
    await caller.command("hold 0");
    await table.timed("stream-exhaustion: resolved", implementation, () =>
      resolved(agent, 200_000),
    );
    expect(toldLoudly(agent)).toEqual(["stream-exhaustion"]);
  });

  it("names calls that run past their deadlines", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation);
    await aCaller(stage, implementation, [addressOf(server), "--deadline", "1.2s"]);
    const agent = await anAgent(
      stage,
      `${app(server)}\nfindings: { deadline-storm: { clearAfter: 60s } }`,
    );
    await silent(agent, 15);
    await server.command("delay 3s");
    const finding = await table.timed("deadline-storm", implementation, () =>
      named(agent, "deadline-storm", 200_000),
    );
    expect(finding).toMatchObject({ target: "app", subject: {} });
    await server.command("delay 0s");
    await table.timed("deadline-storm: resolved", implementation, () => resolved(agent, 250_000));
    expect(toldLoudly(agent)).toEqual(["deadline-storm"]);
  });

  it("names the storm in place of its failing probe", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const server = await aServer(stage, implementation);
    await aCaller(stage, implementation, [addressOf(server), "--deadline", "1.2s"]);
    const agent = await anAgent(stage, `${app(server)}\n${PROBE}`);
    await silent(agent, 30);
    await server.command("delay 3s");
    await table.timed("deadline-storm with a probe", implementation, () =>
      agent.active(["deadline-storm"]),
    );
    // Either may be seen first; the probe's own finding must have found its place by then.
    const { active, suppressed } = await agent.stays(["deadline-storm"], 20_000);
    expect(active.find(({ code }) => code === "deadline-storm")).toMatchObject({
      severity: "critical",
      evidence: { probe: "get-order", where: "handler" },
      consequences: ["probe-failing"],
    });
    expect(suppressed.map(({ code, because }) => [code, because])).toContainEqual([
      "probe-failing",
      "deadline-storm",
    ]);
  });
});

const PROBE = `probes:
  - { name: get-order, target: app, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 10s }
`;

const app = (server: Parameters<typeof addressOf>[0]) =>
  `targets: [{ name: app, address: "${addressOf(server)}" }]`;

async function someCertificates(stage: Stage) {
  const ca = await issueCa();
  const other = await issue({ issuer: ca, dns: ["payments.shop.svc"] });
  const right = await issue({ issuer: ca, dns: ["payments.shop.svc", "orders.shop.svc"] });
  const files = await writeFiles({
    "ca.pem": ca.cert,
    "other.pem": bundle(other, ca),
    "other.key": other.key,
    "right.pem": bundle(right, ca),
    "right.key": right.key,
  });
  stage.onTestFinished(() => files.remove());
  const { paths } = files;
  return {
    ca: paths["ca.pem"],
    other: ["--cert", paths["other.pem"], "--key", paths["other.key"]],
    right: ["--cert", paths["right.pem"], "--key", paths["right.key"]],
  };
}
