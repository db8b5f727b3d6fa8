import { it } from "vitest";
import { addNetworkNamespace } from "../support/network-namespace.ts";
import { startRunningAgent } from "../support/running-agent.ts";

/** An address on the link that nobody answers for: packets leave, and nothing comes back. */
const SILENT = "10.77.0.9";
/** Of a network to which there is no route. */
const UNROUTED = "192.0.2.1";

it("tells a silent address from one without a route", async ({ expect, onTestFinished }) => {
  const network = addNetworkNamespace(`grpc-doctor-${process.pid}`);
  onTestFinished(() => network.remove());
  network.ip("link add v0 type veth peer name v1");
  network.ip("addr add 10.77.0.1/24 dev v0");
  network.ip("link set v0 up");
  network.ip("link set v1 up");
  // A neighbour that is known needs no ARP, whose failure the kernel would tell.
  network.ip(`neigh add ${SILENT} lladdr 02:00:00:00:00:09 dev v0`);
  const agent = await startRunningAgent(
    `targets:
  - { name: silent, role: upstream, address: "${SILENT}:50051" }
  - { name: unrouted, role: upstream, address: "${UNROUTED}:50051" }
`,
    { network },
  );
  onTestFinished(async () => void (await agent.stop()));

  const codes = ["connect-blackholed@silent", "connect-blackholed@unrouted"];
  await agent.active(codes);
  const { active } = await agent.stays(codes, 5_000);
  const told = Object.fromEntries(active.map(({ target, evidence }) => [target, evidence]));
  expect(told).toMatchObject({
    silent: { cause: "host-silent" },
    unrouted: { cause: "no-route", errno: "ENETUNREACH" },
  });
});
