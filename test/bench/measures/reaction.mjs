import { setTimeout as delay } from "node:timers/promises";
import { startAgent } from "../agent.mjs";
import { row } from "../figures.mjs";
import { startPeer } from "../peer.mjs";

const SERVICE = "order.OrderService";

/** How soon the log tells: a change of health (by Watch), and a server that was killed. */
export async function reaction(commandLine, { runs, kills }) {
  const changes = await healthChanges(commandLine, runs);
  const killed = await Promise.all(Array.from({ length: kills }, () => kill(commandLine)));
  return [
    row({ what: "health transition to log line", unit: "ms", values: changes, budget: 100 }),
    row({ what: "killed server to active finding", unit: "s", values: killed, budget: 10 }),
  ];
}

async function healthChanges(commandLine, runs) {
  const peer = await startPeer(["serve"]);
  const agent = await startAgent(commandLine, { address: `127.0.0.1:${peer.ready.port}` });
  const isOurs = ({ service }) => service === SERVICE;
  await agent.event("grpc_doctor.health.changed", isOurs);
  const took = [];
  for (let run = 0; run < runs; run++) {
    await delay(300);
    const told = agent.event("grpc_doctor.health.changed", isOurs);
    const begin = performance.now();
    await peer.command(`health ${run % 2 === 0 ? "NOT_SERVING" : "SERVING"} ${SERVICE}`);
    took.push((await told).at - begin);
  }
  await agent.stop();
  await peer.stop();
  return took;
}

async function kill(commandLine) {
  const peer = await startPeer(["serve"]);
  const agent = await startAgent(commandLine, { address: `127.0.0.1:${peer.ready.port}` });
  await agent.event("grpc_doctor.health.changed");
  await delay(1_000);
  const told = agent.event(
    "grpc_doctor.finding.opened",
    ({ finding }) => finding.code === "connection-refused",
  );
  const begin = performance.now();
  peer.kill("SIGKILL");
  const { at } = await told;
  await agent.stop();
  return (at - begin) / 1000;
}
