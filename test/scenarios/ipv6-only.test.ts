import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { it } from "vitest";
import { startPeer } from "../interop/peer.ts";
import { addNetworkNamespace } from "../support/network-namespace.ts";
import { MAIN, startRunningAgent } from "../support/running-agent.ts";

/** Far above the first X-ray, lookup and read of the socket table. */
const HEALTHY_MS = 20_000;
/** The pod's own address, of a network for documentation (RFC 3849). */
const POD = "2001:db8:77::5";

it("runs with nothing told in a network without IPv4, and misses a server there", async ({
  expect,
  onTestFinished,
}) => {
  const network = addNetworkNamespace(`grpc-doctor-v6-${process.pid}`, { hasIpv4: false });
  onTestFinished(() => network.remove());
  network.ip("link add v0 type veth peer name v1");
  network.ip(`addr add ${POD}/64 dev v0 nodad`);
  network.ip("link set v0 up");
  network.ip("link set v1 up");
  const server = await startPeer("node", ["serve", "--listen", "[::]:0"], network.prefix);
  onTestFinished(() => server.stop());
  const target = `localhost:${String(server.ready["port"])}`;
  const agent = await startRunningAgent(`targets: [{ name: app, address: "${target}" }]\n`, {
    network,
    listeners: "default",
  });
  onTestFinished(async () => void (await agent.stop()));

  const { targets, unjudged } = await agent.staysQuiet(HEALTHY_MS);
  expect(targets).toContainEqual({ name: "app", state: "watched", epoch: 1 });
  expect(await network.get(`http://[${POD}]:19464/metrics`)).toContain(
    'grpc_doctor_target_up{target="app"} 1',
  );
  const [program = "", ...prefix] = network.prefix;
  const words = [...prefix, process.execPath, MAIN, "status"];
  const { stdout } = await promisify(execFile)(program, words);
  expect(stdout).toContain("app");
  expect(agent.log.filter(({ level }) => level !== "info")).toEqual([]);
  expect(unjudged.map(({ code }) => code)).not.toContain("connection-refused");

  await server.stop();
  const { active } = await agent.active(["connection-refused@app"]);
  await agent.stays(["connection-refused@app"], 5_000);
  expect(active).toMatchObject([{ code: "connection-refused", severity: "critical" }]);
});
