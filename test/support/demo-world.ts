import { fileURLToPath } from "node:url";
import { startWorld, type World } from "../../src/demo/world.ts";
import { type RunningAgent, startRunningAgent } from "./running-agent.ts";

/** The demo's world, with the built agent beside it. */
export interface WatchedWorld {
  readonly world: World;
  readonly agent: RunningAgent;
  stop(): Promise<void>;
}

const DIST = new URL("../../dist/", import.meta.url);

/** Starts the sample processes and an agent with their configuration. */
export async function watchWorld(): Promise<WatchedWorld> {
  const world = await startWorld({
    entry: { file: fileURLToPath(new URL("lib/bin/main.js", DIST)), arguments: ["demo-actor"] },
    protoDirectory: fileURLToPath(new URL("proto", DIST)),
    now: Date.now(),
    signal: new AbortController().signal,
  });
  const agent = await startRunningAgent(world.configuration, {
    environment: { POD_IP: world.podAddress },
  });
  return {
    world,
    agent,
    async stop() {
      await agent.stop();
      await world.close();
    },
  };
}
