import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startAgent } from "../agent.mjs";
import { row } from "../figures.mjs";
import { startPeer } from "../peer.mjs";
import { memory, processorMs } from "../process.mjs";

const SOCKETS = 10_000;
const WATCH = fileURLToPath(new URL("../loop-watch.mjs", import.meta.url));

/**
 * An agent beside a server that lists 10 000 sockets, and one beside a server that lists none: how
 * long the event loop was blocked (preemption by others included, hence the second), what it takes.
 */
export async function channelz(commandLine, times) {
  const [full, bare] = await Promise.all([
    look(commandLine, SOCKETS, times),
    look(commandLine, 0, times),
  ]);
  return [
    row({
      what: "10 000 sockets: longest block",
      unit: "ms",
      values: [full.blockedMs],
      budget: 50,
    }),
    row({ what: "no sockets: longest block", unit: "ms", values: [bare.blockedMs] }),
    row({
      what: "10 000 sockets: peak resident, over none",
      unit: "MiB",
      values: [full.peak - bare.peak],
    }),
    row({
      what: "10 000 sockets: processor, over none",
      unit: "% of a core",
      values: [full.share - bare.share],
      budget: 0.5,
    }),
    row({
      what: "10 000 sockets: processor in the app",
      unit: "% of a core",
      values: [full.appShare],
    }),
  ];
}

async function look(commandLine, sockets, { warmMs, seconds }) {
  const peer = await startPeer(["serve", "-tcp-keepalive=false"]);
  const address = `127.0.0.1:${peer.ready.port}`;
  const words = ["idle", "-target", address, "-connections", String(sockets)];
  const idle = sockets === 0 ? undefined : await startPeer(words);
  const agent = await startAgent(commandLine, { address, flags: ["--import", WATCH] });
  await agent.event("grpc_doctor.health.changed");
  await delay(warmMs); // loading and compiling are no part of it
  await longestBlockMs(agent);
  const before = [processorMs(agent.pid), processorMs(peer.pid)];
  await delay(seconds * 1000);
  const [agentMs, peerMs] = [processorMs(agent.pid) - before[0], processorMs(peer.pid) - before[1]];
  const blockedMs = await longestBlockMs(agent);
  const { peak } = memory(agent.pid);
  await agent.stop();
  await idle?.stop();
  await peer.stop();
  const share = (ms) => ms / (10 * seconds);
  return { blockedMs, peak, share: share(agentMs), appShare: share(peerMs) };
}

/** Since the last time that it was asked. */
async function longestBlockMs(agent) {
  const answer = agent.event("bench.loop");
  agent.kill("SIGUSR2");
  return JSON.parse((await answer).line).longestMs;
}
