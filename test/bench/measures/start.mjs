import { startAgent } from "../agent.mjs";
import { row } from "../figures.mjs";
import { MAIN } from "../nodes.mjs";
import { startPeer } from "../peer.mjs";
import { timed } from "../process.mjs";

/** From the start of the process to the first verdict, and a whole `health`, against an empty Node. */
export async function starting(commandLine, { runs }) {
  const { file, flags, env } = commandLine;
  const peer = await startPeer(["serve"]);
  const address = `127.0.0.1:${peer.ready.port}`;
  const empty = [];
  const verdict = [];
  const health = [];
  for (let run = 0; run < runs; run++) {
    empty.push(await timed(file, [...flags, "-e", "0"], env));
    const begin = performance.now();
    const agent = await startAgent(commandLine, { address });
    const { at } = await agent.event("grpc_doctor.health.changed");
    verdict.push(at - begin);
    await agent.stop();
    health.push(await timed(file, [...flags, MAIN, "health", address], env));
  }
  await peer.stop();
  const times = (values) => values.map((ms, at) => ms / empty[at]);
  return [
    row({ what: "an empty Node: start", unit: "ms", values: empty }),
    row({ what: "start to first health verdict", unit: "ms", values: verdict }),
    row({
      what: "start to first health verdict",
      unit: "× empty",
      values: times(verdict),
      budget: 4,
    }),
    row({ what: "`health`", unit: "ms", values: health }),
    row({ what: "`health`", unit: "× empty", values: times(health), budget: 1.6 }),
  ];
}
