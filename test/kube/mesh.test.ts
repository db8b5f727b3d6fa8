import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startPeer } from "../interop/peer.ts";
import { anAgent, named, type Stage, silent, toldLoudly, unjudgedOf } from "../interop/scene.ts";
import { addNetworkNamespace } from "../support/network-namespace.ts";
import { startEnvoy } from "./envoy.ts";

const LONGEST_MS = 400_000;
/** Where a mesh's proxy takes what the app sends, and what is sent to it. */
const OUTBOUND = 15_001;
const INBOUND = 15_006;
const POD = "10.77.0.1";
const UPSTREAM = "10.77.0.9";
/** Where both really are, which only the proxy knows. */
const APP_AT = "127.0.0.1:50051";
const UPSTREAM_AT = "127.0.0.2:50052";

/** What a dial of the upstream would show is Envoy's; and an app behind it does right to listen on loopback. */
const OF_THE_PROXY = ["connect-blackholed", "dns-stale", "l4-pinning", "not-grpc", "app-frozen"];
const BECAUSE = "a mesh proxy carries these connections";

it("says nothing of what only Envoy sees", { timeout: LONGEST_MS }, async (stage) => {
  const { network, app, upstream } = await aPodInAMesh(stage);
  const targets = [
    `{ name: app, address: "${APP_AT}" }`,
    `{ name: orders, role: upstream, address: "${UPSTREAM}:50052" }`,
  ];
  const agent = await anAgent(stage, `targets: [${targets.join(", ")}]`, {
    network,
    environment: { POD_IP: POD },
  });

  await silent(agent, 30);
  expect(await unjudgedOf(agent, ["loopback-only"])).toEqual([`loopback-only: ${BECAUSE}`]);
  const unjudged = await unjudgedOf(agent, OF_THE_PROXY, "orders");
  expect(unjudged.toSorted()).toEqual(OF_THE_PROXY.map((code) => `${code}: ${BECAUSE}`).toSorted());

  // Nobody listens there any more, and Envoy goes on to accept: it is told as what it said.
  await upstream.stop();
  const { target, severity, evidence } = await named(agent, "health-not-serving", 150_000);
  expect({ target, severity, evidence }).toMatchObject({
    target: "orders",
    severity: "warning",
    evidence: { cause: "check-error", status: "UNAVAILABLE" },
  });
  expect(evidence["statusText"]).toContain("upstream connect error");
  await silent(agent, 20, ["health-not-serving"]);

  // The app's own faults are named as without a mesh.
  await app.command("stop");
  await agent.active(["connection-refused@app", "health-not-serving@orders"]);
  expect(toldLoudly(agent)).toEqual(["health-not-serving", "connection-refused"]);
});

/** As Istio makes it: all that leaves and enters is redirected to Envoy by iptables. */
async function aPodInAMesh(stage: Stage) {
  const network = addNetworkNamespace(`grpc-doctor-envoy-${process.pid}`);
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
  stage.onTestFinished(async () => {
    network.remove();
    rmSync(folder, { recursive: true });
  });
  network.ip(`addr add ${POD}/24 dev lo`);
  redirect(network.prefix, UPSTREAM, OUTBOUND);
  redirect(network.prefix, POD, INBOUND);

  const start = async (...flags: readonly string[]) => {
    const peer = await startPeer("go", flags, network.prefix);
    stage.onTestFinished(() => peer.stop());
    return peer;
  };
  const upstream = await start("serve", "--listen", UPSTREAM_AT);
  const app = await start("serve", "--listen", APP_AT, "--calls", `${UPSTREAM}:50052`);
  const ways = { [OUTBOUND]: UPSTREAM_AT, [INBOUND]: APP_AT };
  const envoy = await startEnvoy(folder, ways, network.prefix);
  stage.onTestFinished(async () => void (await envoy.end("SIGKILL")));
  await start("call", "--target", `${POD}:50051`, "--rate", "50");
  return { network, app, upstream };
}

function redirect([file = "", ...inside]: readonly string[], to: string, port: number): void {
  const rule = `-t nat -A OUTPUT -p tcp -d ${to} -j REDIRECT --to-ports ${port}`;
  execFileSync(file, [...inside, "iptables", ...rule.split(" ")]);
}
