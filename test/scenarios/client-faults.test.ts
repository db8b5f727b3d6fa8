import { describe, it } from "vitest";
import { type Peer, startPeer } from "../interop/peer.ts";
import {
  anAgent,
  named,
  portOf,
  type Stage,
  silent,
  toldLoudly,
  unjudgedOf,
} from "../interop/scene.ts";
import { addNetworkNamespace, type NetworkNamespace } from "../support/network-namespace.ts";

/** What the app does as a client: its sockets are those of a network of its own, as in a pod. */
const PATIENCE_SECONDS = 90;
const WITHIN_MS = 200_000;
const APP = "10.78.0.1";
/** Where the app's new connections come from, once the way back to the old ones is gone. */
const APP_NOW = "10.78.0.7";
const UPSTREAM = "10.78.0.2";

describe.concurrent("calls that fail at the upstream", () => {
  it("are not told where each is tried once", async ({ expect, onTestFinished }) => {
    const { agent, upstream } = await anApp({ onTestFinished }, "once");
    await upstream.command("fail UNAVAILABLE");
    await silent(agent, PATIENCE_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("are told where each is tried four times", async ({ expect, onTestFinished }) => {
    const { agent, upstream } = await anApp({ onTestFinished }, "often", ["--retries"]);
    await silent(agent, 20);
    await upstream.command("fail UNAVAILABLE");
    const { target, evidence } = await named(agent, "retry-storm", WITHIN_MS);
    expect(target).toBe("app");
    expect(evidence["amplification"]).toBeGreaterThan(3);
  });
});

describe.concurrent("channels that are made for one call", () => {
  it("are not told where they are few", async ({ expect, onTestFinished }) => {
    const { agent } = await anApp({ onTestFinished }, "few", ["--channels", "4"]);
    await silent(agent, PATIENCE_SECONDS);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("are told where their ports pile up", async ({ expect, onTestFinished }) => {
    const { agent } = await anApp({ onTestFinished }, "many", ["--channels", "25"]);
    const { target, severity, evidence } = await named(agent, "channel-leak", WITHIN_MS);
    expect({ target, severity }).toEqual({ target: "orders", severity: "warning" });
    expect(evidence["timeWait"]).toBeGreaterThan(500);
  });
});

describe.concurrent("a connection whose way back is gone", () => {
  it("is told, and nothing while it worked", async ({ expect, onTestFinished }) => {
    const { agent, forget } = await anApp({ onTestFinished }, "open");
    await silent(agent, 40);
    expect(toldLoudly(agent)).toEqual([]);
    forget();
    const finding = await named(agent, "half-open-connection", WITHIN_MS);
    expect(finding).toMatchObject({
      target: "orders",
      severity: "critical",
      evidence: { newConnectionWorks: true },
    });
    // The agent's own connection went the same way, and was replaced.
    await silent(agent, 20, ["half-open-connection"]);
    expect(await unjudgedOf(agent, ["health-not-serving"], "orders")).toEqual([]);
    const health = 'grpc_doctor_target_up{target="orders"} 1';
    expect(await agent.metrics()).toContain(health);
  });
});

/**
 * An app in a network of its own that calls an upstream in another. `forget` loses the way back to the
 * app's connections, while new ones from there come from another address and work.
 */
async function anApp(stage: Stage, name: string, flags: readonly string[] = []) {
  const pod = aNetwork(stage, `grpc-doctor-${name}-${process.pid}`);
  const away = aNetwork(stage, `grpc-doctor-${name}-up-${process.pid}`);
  pod.ip(`link add v0 type veth peer name v1 netns ${away.name}`);
  pod.ip(`addr add ${APP}/24 dev v0`);
  pod.ip("link set v0 up");
  away.ip(`addr add ${UPSTREAM}/24 dev v1`);
  away.ip("link set v1 up");
  const upstream = await inNetwork(stage, away, ["--listen", `${UPSTREAM}:0`]);
  const address = `${UPSTREAM}:${portOf(upstream)}`;
  const app = await inNetwork(stage, pod, ["--calls", address, ...flags]);
  const configuration = `targets:
  - { name: app, address: "127.0.0.1:${portOf(app)}" }
  - { name: orders, role: upstream, address: "${address}" }
findings: { retry-storm: { window: 20s }, channel-leak: { timeWait: 500 } }`;
  const agent = await anAgent(stage, configuration, { network: pod });
  const forget = () => {
    pod.ip(`addr add ${APP_NOW}/24 dev v0`);
    pod.ip(`route replace 10.78.0.0/24 dev v0 proto kernel scope link src ${APP_NOW}`);
    away.ip(`neigh replace ${APP} lladdr 02:00:00:00:00:09 dev v1 nud permanent`);
  };
  return { agent, upstream, forget };
}

function aNetwork({ onTestFinished }: Stage, name: string): NetworkNamespace & { name: string } {
  const network = addNetworkNamespace(name);
  onTestFinished(async () => network.remove());
  return { ...network, name };
}

async function inNetwork(
  { onTestFinished }: Stage,
  { prefix }: NetworkNamespace,
  flags: readonly string[],
): Promise<Peer> {
  const peer = await startPeer("go", ["serve", ...flags], prefix);
  onTestFinished(() => peer.stop());
  return peer;
}
