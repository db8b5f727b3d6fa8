import { type Peer, startPeer } from "../interop/peer.ts";
import { seconds } from "../interop/scene.ts";
import { startResolver } from "../support/resolver.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";
import { asInTheImage } from "./image.ts";
import { aLastingPort } from "./ports.ts";

/** What a fleet did in a window, all agents together; moments in ms since the Unix epoch. */
export interface Visits {
  readonly dialledAt: readonly number[];
  readonly calledAt: readonly number[];
  readonly askedAt: readonly number[];
  readonly pings: number;
}

/** Agents that watch one upstream; each knows it by a name, and so by an address, of its own. */
export interface Fleet {
  readonly agents: readonly RunningAgent[];
  upstream(): Peer;
  /** Resolves when each of them watches the upstream's health. */
  settled(): Promise<void>;
  visitsWithin(windowSeconds: number): Promise<Visits>;
  /** It dies, and is back after a second. */
  restartUpstream(): Promise<void>;
  stop(): Promise<void>;
}

interface Frames {
  readonly pings: number;
  readonly methods: Readonly<Record<string, number>>;
  readonly dialled: readonly number[] | null;
  readonly called: readonly number[] | null;
}

/** So many start at the same time: each takes a processor for half a second. */
const AT_ONCE = 4;
const WATCH = "/grpc.health.v1.Health/Watch";
const addressOfAgent = (agent: number) => `127.0.1.${agent + 1}`;
const nameOfAgent = (agent: number) => `orders-${agent}.test`;

export async function startFleet(size: number): Promise<Fleet> {
  const port = await aLastingPort();
  const start = () => startPeer("go", ["serve", "--count", "--listen", `0.0.0.0:${port}`]);
  let upstream = await start();
  const numbers = Array.from({ length: size }, (_, agent) => agent);
  const zone = await startResolver(
    Object.fromEntries(
      numbers.map((agent) => [nameOfAgent(agent), { a: [addressOfAgent(agent)] }]),
    ),
  );
  const image = asInTheImage();
  const agents: RunningAgent[] = [];
  const startSome = async (some: readonly number[]) => {
    for (const agent of some) {
      const address = `dns://${zone.address}/${nameOfAgent(agent)}:${port}`;
      const running = await startRunningAgent(
        `targets: [{ name: orders, role: upstream, address: "${address}" }]`,
        { node: image.node, environment: { ...image.environment, POD_UID: `pod-${agent}` } },
      );
      agents.push(running);
    }
  };
  const shares = Array.from({ length: AT_ONCE }, (_, share) =>
    numbers.filter((agent) => agent % AT_ONCE === share),
  );
  await Promise.all(shares.map(startSome));

  const framesOfAgents = async (): Promise<readonly Frames[]> => {
    const answer = (await upstream.command("counted times")) as { counted: Record<string, Frames> };
    return numbers.flatMap((agent) => answer.counted[addressOfAgent(agent)] ?? []);
  };
  return {
    agents,
    upstream: () => upstream,
    async settled() {
      const isWatching = ({ methods }: Frames) => (methods[WATCH] ?? 0) > 0;
      while ((await framesOfAgents()).filter(isWatching).length < size) await seconds(0.5);
    },
    async visitsWithin(windowSeconds) {
      const fromAt = Date.now();
      const pingsOf = (frames: readonly Frames[]) =>
        frames.reduce((sum, { pings }) => sum + pings, 0);
      const before = pingsOf(await framesOfAgents());
      await seconds(windowSeconds);
      const frames = await framesOfAgents();
      const isWithin = (at: number) => at >= fromAt && at < fromAt + windowSeconds * 1_000;
      return {
        dialledAt: frames.flatMap(({ dialled }) => dialled ?? []).filter(isWithin),
        calledAt: frames.flatMap(({ called }) => called ?? []).filter(isWithin),
        askedAt: zone.askedAt.filter(isWithin),
        pings: pingsOf(frames) - before,
      };
    },
    async restartUpstream() {
      await upstream.stop();
      await seconds(1);
      upstream = await start();
    },
    async stop() {
      await Promise.all(agents.map((agent) => agent.stop()));
      await Promise.all([upstream.stop(), zone.close()]);
    },
  };
}
