import { describe, it } from "vitest";
import { startPeer } from "../interop/peer.ts";
import { addNetworkNamespace } from "../support/network-namespace.ts";
import { startProgram } from "../support/process.ts";
import { type PrintedFindings, startRunningAgent } from "../support/running-agent.ts";

/** The address of the pod, or of the node whose network it is on. */
const POD = "10.77.0.1";
/** An address on the link that nobody answers for. */
const SILENT = "10.77.0.9";
/** Another process: it listens here, and its connects to nowhere stay without an answer. */
const NEIGHBOUR = `
const { connect, createServer } = require("node:net");
const [port, remote] = process.argv.slice(1);
for (let count = 0; count < 3; count += 1) connect({ host: remote, port: 5432 }).on("error", () => undefined);
createServer().listen(Number(port), () => console.log("up"));`;
const KUBELET_PORT = 10_250;
const OTHER_PORT = 10_251;
/** Thrice what the same takes to be told of a pod. */
const PATIENCE_MS = 50_000;

interface Stage {
  onTestFinished(end: () => Promise<void> | void): void;
}

describe.concurrent("beside another process of the same network", () => {
  it("accuses nobody of what is not the app's on its host's network", async ({
    expect,
    onTestFinished,
  }) => {
    const agent = await besideNeighbour({ onTestFinished }, { name: "host", port: KUBELET_PORT });
    const { active, unjudged } = await agent.staysQuiet(PATIENCE_MS);
    expect(active).toEqual([]);
    const because = "the pod is on its host's network, which it shares with other processes";
    expect(reasonFor("loopback-only", unjudged)).toBe(because);
    expect(reasonFor("half-open-connection", unjudged)).toBe(because);
  });

  it("tells both of a pod, whose sockets are all the app's", async ({ expect, onTestFinished }) => {
    const agent = await besideNeighbour({ onTestFinished }, { name: "pod", port: OTHER_PORT });
    const { active } = await agent.active(["loopback-only@app"]);
    expect(active).toMatchObject([{ code: "loopback-only", evidence: { podAddress: POD } }]);
    const waiting = () => agent.findings().then((now) => now.active.map(({ code }) => code));
    await expect
      .poll(waiting, { timeout: 2 * PATIENCE_MS, interval: 500 })
      .toContain("connect-blackholed");
  });
});

/** An app that is well but listens on loopback only, a neighbour that is stuck, and the agent. */
async function besideNeighbour(
  stage: Stage,
  { name, port }: { readonly name: string; readonly port: number },
) {
  const network = addNetworkNamespace(`grpc-doctor-${name}-${process.pid}`);
  stage.onTestFinished(() => network.remove());
  network.ip("link add v0 type veth peer name v1");
  network.ip(`addr add ${POD}/24 dev v0`);
  network.ip("link set v0 up");
  network.ip("link set v1 up");
  network.ip(`neigh add ${SILENT} lladdr 02:00:00:00:00:09 dev v0`);
  const app = await startPeer("node", ["serve"], network.prefix);
  stage.onTestFinished(() => app.stop());
  const line = [...network.prefix, process.execPath, "-e", NEIGHBOUR, String(port), SILENT];
  const neighbour = await startProgram(line, (output) => output.includes("up"));
  stage.onTestFinished(async () => void (await neighbour.end("SIGKILL")));
  const agent = await startRunningAgent(
    `targets: [{ name: app, address: "${String(app.ready["address"])}" }]\n`,
    {
      network,
      environment: { POD_IP: POD },
    },
  );
  stage.onTestFinished(async () => void (await agent.stop()));
  return agent;
}

function reasonFor(code: string, unjudged: PrintedFindings["unjudged"]): string | undefined {
  return unjudged.find((entry) => entry.code === code)?.because;
}
