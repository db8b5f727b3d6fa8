import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { bundle, type Issued, issue, issueCa, writeFiles } from "../support/certificates.ts";
import { IMPLEMENTATIONS } from "./peer.ts";
import {
  addressOf,
  anAgent,
  aServer,
  createTable,
  named,
  resolved,
  type Stage,
  silent,
  toldLoudly,
  unjudgedOf,
} from "./scene.ts";

/** Servers that demand a client certificate, and what the agent is given to show. */
const LONGEST_MS = 300_000;
/** Two X-rays, and what follows from them. */
const QUIET_SECONDS = 45;
const CODE = "tls-client-cert-rejected";
const table = createTable();
afterAll(() => table.print("a client certificate that is refused → named"));

describe.concurrent.each(IMPLEMENTATIONS)("on %s", (implementation) => {
  it("names a certificate of another authority, until the right one is there", {
    timeout: LONGEST_MS,
  }, async (stage) => {
    const files = await someFiles(stage);
    const server = await aServer(stage, implementation, [...files.server, ...files.demanding]);
    const shown = await files.shown(files.stranger);
    const agent = await anAgent(stage, watching(addressOf(server), files.ca, shown));
    const finding = await table.timed("of another authority", implementation, () =>
      named(agent, CODE, 60_000),
    );
    expect(finding).toMatchObject({
      severity: "critical",
      target: "app",
      evidence: { clientFingerprint: files.stranger.fingerprint },
    });
    await silent(agent, 15, [CODE]);
    writeFileSync(shown.cert, files.friend.cert);
    writeFileSync(shown.key, files.friend.key);
    await table.timed("resolved", implementation, () => resolved(agent, 200_000));
    expect(toldLoudly(agent)).toEqual([CODE]);
  });

  it("names a certificate that is over", { timeout: LONGEST_MS }, async (stage) => {
    const files = await someFiles(stage);
    const server = await aServer(stage, implementation, [...files.server, ...files.demanding]);
    const shown = await files.shown(files.old);
    const agent = await anAgent(stage, watching(addressOf(server), files.ca, shown));
    const { evidence } = await table.timed("expired", implementation, () =>
      named(agent, CODE, 60_000),
    );
    expect(evidence["clientNotAfterAt"]).toBe(new Date(files.old.notAfter).toISOString());
    await silent(agent, 15, [CODE]);
  });

  it("is content with one that the server takes", { timeout: LONGEST_MS }, async (stage) => {
    const files = await someFiles(stage);
    const server = await aServer(stage, implementation, [...files.server, ...files.demanding]);
    const shown = await files.shown(files.friend);
    const agent = await anAgent(stage, watching(addressOf(server), files.ca, shown));
    await silent(agent, QUIET_SECONDS);
    expect(await unjudgedOf(agent, [CODE, "health-not-serving"])).toEqual([]);
  });

  it("accuses nobody where it was given none to show", { timeout: LONGEST_MS }, async (stage) => {
    const files = await someFiles(stage);
    const server = await aServer(stage, implementation, [...files.server, ...files.demanding]);
    const agent = await anAgent(stage, watching(addressOf(server), files.ca));
    await silent(agent, QUIET_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
    const [because] = await unjudgedOf(agent, ["health-not-serving"]);
    expect(because).toMatch(/client_certificate_required/);
  });
});

describe.concurrent("on go", () => {
  it.runIf(IMPLEMENTATIONS.includes("go"))(
    "is content where one is asked for, and any will do",
    {
      timeout: LONGEST_MS,
    },
    async (stage) => {
      const files = await someFiles(stage);
      const server = await aServer(stage, "go", [...files.server, "--asks"]);
      const shown = await files.shown(files.stranger);
      const showing = await anAgent(stage, watching(addressOf(server), files.ca, shown));
      const without = await anAgent(stage, watching(addressOf(server), files.ca));
      await Promise.all([silent(showing, QUIET_SECONDS), silent(without, QUIET_SECONDS)]);
      expect(await unjudgedOf(showing, [CODE, "health-not-serving"])).toEqual([]);
      expect(await unjudgedOf(without, ["health-not-serving"])).toEqual([]);
    },
  );
});

interface Shown {
  readonly cert: string;
  readonly key: string;
}

const watching = (address: string, ca: string, shown?: Shown) =>
  `targets: [{ name: app, address: "${address}", authority: orders.shop.svc, tls: { ca: ${ca}${
    shown === undefined ? "" : `, cert: ${shown.cert}, key: ${shown.key}`
  } } }]`;

async function someFiles(stage: Stage) {
  const [ca, others] = [await issueCa(), await issueCa({ name: "another ca" })];
  const server = await issue({ issuer: ca, dns: ["orders.shop.svc"] });
  const client = (issuer: Issued, toDays: number) =>
    issue({ name: "agent", issuer, usage: ["client"], fromDays: -10, toDays });
  const files = await writeFiles({
    "ca.pem": ca.cert,
    "server.pem": bundle(server, ca),
    "server.key": server.key,
  });
  stage.onTestFinished(() => files.remove());
  const { paths } = files;
  return {
    ca: paths["ca.pem"],
    server: ["--cert", paths["server.pem"], "--key", paths["server.key"]],
    demanding: ["--client-ca", paths["ca.pem"]],
    friend: await client(ca, 30),
    old: await client(ca, -1),
    stranger: await client(others, 30),
    async shown({ cert, key }: Issued): Promise<Shown> {
      const client = await writeFiles({ cert, key });
      stage.onTestFinished(() => client.remove());
      return client.paths;
    },
  };
}
