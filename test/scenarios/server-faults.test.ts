import { writeFileSync } from "node:fs";
import { describe, it } from "vitest";
import { type Implementation, startPeer } from "../interop/peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  named,
  type Stage,
  silent,
  toldLoudly,
  unjudgedOf,
} from "../interop/scene.ts";
import { issue, writeFiles } from "../support/certificates.ts";

/** Longer than the loud ones take. */
const PATIENCE_SECONDS = 90;
const WITHIN_MS = 200_000;
/** How many descriptors the server may have: those of its callers, and a dozen of its own. */
const MOST_FILES = 200;

describe.concurrent("the server's file descriptors", () => {
  it("are not told while a fifth of them is free", async ({ expect, onTestFinished }) => {
    const agent = await manyCallers({ onTestFinished }, 145);
    await silent(agent, PATIENCE_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["fd-exhaustion"])).toEqual([]);
  });

  it("are told when nearly all are taken", async ({ expect, onTestFinished }) => {
    const agent = await manyCallers({ onTestFinished }, 178);
    const { target, severity, evidence } = await named(agent, "fd-exhaustion", WITHIN_MS);
    expect({ target, severity }).toEqual({ target: "app", severity: "warning" });
    expect(evidence).toMatchObject({ maxFds: MOST_FILES, connectionAnswers: true });
    expect(evidence["openFds"]).toBeGreaterThanOrEqual(0.9 * MOST_FILES);
  });
});

describe.concurrent("a certificate that was renewed on the disk", () => {
  it("is not told where the server loads it", async ({ expect, onTestFinished }) => {
    const { agent, server, renew } = await aSecuredServer({ onTestFinished }, "go");
    await silent(agent, 10);
    await server.command(`certificate ${renew().join(" ")}`);
    await silent(agent, PATIENCE_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["tls-cert-not-reloaded"])).toEqual([]);
  });

  it.for(["go", "node"] as const)(
    "is told where %s goes on with the old one",
    async (name, { expect, onTestFinished }) => {
      const { agent, renew } = await aSecuredServer({ onTestFinished }, name);
      await silent(agent, 10);
      renew();
      const finding = await named(agent, "tls-cert-not-reloaded", WITHIN_MS);
      expect(finding).toMatchObject({ severity: "warning", target: "app" });
    },
  );
});

describe.concurrent("calls that end with errors", () => {
  it("are not told where the callers are to blame", async ({ expect, onTestFinished }) => {
    const { agent, server } = await aCalledServer({ onTestFinished });
    await silent(agent, 20);
    await server.command("fail NOT_FOUND");
    await silent(agent, PATIENCE_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["error-burst"])).toEqual([]);
  });

  it("are told where the server is", async ({ expect, onTestFinished }) => {
    const { agent, server } = await aCalledServer({ onTestFinished });
    await silent(agent, 20);
    await server.command("fail INTERNAL");
    const { target, evidence } = await named(agent, "error-burst", WITHIN_MS);
    expect(target).toBe("app");
    expect(evidence["codes"]).toEqual([expect.stringMatching(/^INTERNAL \d+$/)]);
  });
});

/** A server of few descriptors, of which its callers hold so many. */
async function manyCallers(stage: Stage, connections: number) {
  const prefix = ["prlimit", `--nofile=${MOST_FILES}`];
  const server = await startPeer("go", ["serve", "--metrics"], prefix);
  stage.onTestFinished(() => server.stop());
  const flags = [addressOf(server), "--rate", "0", "--connections", String(connections)] as const;
  const caller = await aCaller(stage, "go", flags);
  await caller.command("hold 1");
  return anAgent(stage, withMetrics(server));
}

async function aCalledServer(stage: Stage) {
  const server = await aServer(stage, "go", ["--metrics"]);
  await aCaller(stage, "go", [addressOf(server)]);
  return { server, agent: await anAgent(stage, withMetrics(server)) };
}

const withMetrics = ({ ready }: Parameters<typeof addressOf>[0]) =>
  `targets: [{ name: app, address: "${String(ready["address"])}", metrics: "${String(ready["metrics"])}" }]`;

/** `renew` replaces both files, as cert-manager does, and gives their paths. */
async function aSecuredServer(stage: Stage, implementation: Implementation) {
  const dns = ["orders.shop.svc"];
  const old = await issue({ dns, fromDays: -20 });
  const renewed = await issue({ dns, fromDays: -1, toDays: 60 });
  const { paths, remove } = await writeFiles({ cert: old.cert, key: old.key });
  stage.onTestFinished(remove);
  const { cert, key } = paths;
  const server = await aServer(stage, implementation, ["--cert", cert, "--key", key]);
  const agent = await anAgent(
    stage,
    `targets: [{ name: app, address: "${addressOf(server)}", tls: { servedFrom: ${cert} } }]
findings: { tls-cert-not-reloaded: { settle: 10s } }`,
  );
  const renew = () => {
    writeFileSync(cert, renewed.cert);
    writeFileSync(key, renewed.key);
    return [cert, key] as const;
  };
  return { agent, server, renew };
}
