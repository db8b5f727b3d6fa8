import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startPeer } from "../interop/peer.ts";
import { anAgent, type Stage } from "../interop/scene.ts";
import { issue } from "../support/certificates.ts";
import { startFaultyServer } from "../support/faulty-server.ts";
import { addNetworkNamespace } from "../support/network-namespace.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";

const PORT = 50_051;
const NAME = "orders.test";
const HEALTHY_MS = 8_000;
/** Longer than the loud one takes. */
const LASTING_MS = 110_000;

describe.concurrent("a way to the server that is closed", () => {
  it("by its name, is none where the server takes both families", async (stage) => {
    const agent = await aServerOnBoth(stage, `[::]:${PORT}`);
    await agent.staysQuiet(LASTING_MS);
    const { unjudged } = await agent.findings();
    expect(unjudged.map(({ code }) => code)).not.toContain("address-family-mismatch");
  });

  it("by its name, is told where the server takes IPv4 alone", async (stage) => {
    const agent = await aServerOnBoth(stage, `10.77.0.1:${PORT}`);
    const { active } = await agent.active(["address-family-mismatch@orders"]);
    expect(active).toMatchObject([
      { subject: { family: "ipv6" }, evidence: { errno: "ECONNREFUSED" } },
    ]);
  });

  it("by the versions of TLS, is told until one of them is taken again", async ({
    onTestFinished,
  }) => {
    const { cert, key } = await issue({ dns: [NAME] });
    const pair = { cert, key };
    const server = await startFaultyServer({ tls: pair });
    const { port } = server;
    const agent = await startRunningAgent(`targets: [{ name: app, address: "127.0.0.1:${port}" }]`);
    onTestFinished(async () => void (await agent.stop()));
    await agent.staysQuiet(HEALTHY_MS);

    await server.crash();
    const tls = { ...pair, minVersion: "TLSv1", maxVersion: "TLSv1.1" } as const;
    const old = await startFaultyServer({ port, tls });
    const { active } = await agent.active(["tls-version-mismatch@app"]);
    expect(active).toMatchObject([{ severity: "critical", evidence: { cause: "version" } }]);

    await old.crash();
    const renewed = await startFaultyServer({ port, tls: pair });
    onTestFinished(() => renewed.crash());
    await agent.active([]);
  });
});

/** An agent that knows the server by a name with two addresses, in a network with both families. */
async function aServerOnBoth(stage: Stage, listen: string): Promise<RunningAgent> {
  const namespace = `grpc-doctor-${process.pid}-${listen.length}`;
  const network = addNetworkNamespace(namespace);
  stage.onTestFinished(async () => network.remove());
  network.ip("link add v0 type veth peer name v1");
  network.ip("addr add 10.77.0.1/24 dev v0");
  network.ip("addr add fd77::1/64 dev v0 nodad");
  network.ip("link set v0 up");
  network.ip("link set v1 up");
  const folder = hostsOf(namespace, ["10.77.0.1", "fd77::1"]);
  stage.onTestFinished(async () => rmSync(folder, { recursive: true }));
  const server = await startPeer("go", ["serve", "--listen", listen], network.prefix);
  stage.onTestFinished(() => server.stop());
  const upstream = `{ name: orders, role: upstream, address: "${NAME}:${PORT}" }`;
  return anAgent(stage, `targets: [${upstream}]`, { network });
}

/** What `ip netns exec` mounts over the pod's own. */
function hostsOf(namespace: string, addresses: readonly string[]): string {
  const folder = `/etc/netns/${namespace}`;
  mkdirSync(folder, { recursive: true });
  const rows = addresses.map((address) => `${address} ${NAME}\n`);
  writeFileSync(`${folder}/hosts`, `127.0.0.1 localhost\n${rows.join("")}`);
  return folder;
}
