import { setTimeout as delay } from "node:timers/promises";
import { startAgent } from "../agent.mjs";
import { median, row } from "../figures.mjs";
import { startPeer } from "../peer.mjs";

/** How long grpc-go's GracefulStop takes with the agent attached, over how long without. */
export async function gracefulStop(commandLine, { runs }) {
  const alone = [];
  const watched = [];
  for (let run = 0; run < runs; run++) {
    alone.push(await stopMs());
    watched.push(await stopMs(commandLine));
  }
  const over = watched.map((ms) => ms - median(alone));
  return [
    row({ what: "graceful stop of grpc-go, over without", unit: "ms", values: over, budget: 200 }),
  ];
}

async function stopMs(commandLine) {
  const peer = await startPeer(["serve"]);
  const address = `127.0.0.1:${peer.ready.port}`;
  const agent = commandLine && (await startAgent(commandLine, { address }));
  await agent?.event("grpc_doctor.health.changed");
  await delay(1_000);
  const { ms } = await peer.command("graceful-stop");
  await agent?.stop();
  await peer.stop();
  return ms;
}
