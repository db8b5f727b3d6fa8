import { once } from "node:events";
import { Agent, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { startAgent } from "../agent.mjs";
import { row } from "../figures.mjs";
import { startPeer } from "../peer.mjs";

const TARGETS = 8;
const PROBES = 24;
const WARM_SCRAPES = 10;

/** A scrape over a kept connection, as Prometheus makes it, of an agent at its cap of 1000 series. */
export async function scrape(commandLine, { warmMs, runs }) {
  const peer = await startPeer(["serve"]);
  const agent = await startAgent(commandLine, { configuration: configuration(peer.ready.port) });
  await agent.event("grpc_doctor.health.changed");
  await delay(warmMs);
  const kept = new Agent({ keepAlive: true });
  const took = [];
  let text = "";
  for (let run = -WARM_SCRAPES; run < runs; run++) {
    const begin = performance.now();
    text = await read(`http://${agent.listen}/metrics`, kept);
    if (run >= 0) took.push(performance.now() - begin);
    await delay(50);
  }
  kept.destroy();
  await agent.stop();
  await peer.stop();
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  return [row({ what: `scrape of ${series} series`, unit: "ms", values: took, budget: 10 })];
}

function configuration(port) {
  const list = (count, one) => Array.from({ length: count }, (_, at) => one(at)).join("\n");
  return `targets:
${list(TARGETS, (at) => `  - { name: app-${at}, address: "127.0.0.1:${port}" }`)}
probes:
${list(
  PROBES,
  (at) =>
    `  - { name: check-${at}, target: app-${at % TARGETS}, method: grpc.health.v1.Health/Check, every: 10s, deadline: 1s }`,
)}
`;
}

async function read(url, agent) {
  const request = get(url, { agent });
  const [response] = await once(request, "response");
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}
