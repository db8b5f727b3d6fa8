import { type Peer, startPeer } from "../interop/peer.ts";

/** What a server counted of the agent: frames of all connections to the address that only it dials. */
export interface Counted {
  readonly connections: number;
  readonly calls: number;
  readonly pings: number;
  readonly resets: number;
  /** The most PINGs on one connection without a call between them. */
  readonly idlePings: number;
}

/** A server that dies and comes back on its port, and what the agent sent in all its lives. */
export interface LastingServer {
  command(line: string): Promise<Readonly<Record<string, unknown>>>;
  signal(name: NodeJS.Signals): void;
  /** Starts the next life, with these flags besides. */
  start(...flags: readonly string[]): Promise<void>;
  kill(): Promise<void>;
  counted(): Promise<Counted>;
}

const NOTHING: Counted = { connections: 0, calls: 0, pings: 0, resets: 0, idlePings: 0 };

/** `dialled`: the address of the server that the agent dials, and nobody else. */
export async function startLastingServer(
  listen: string,
  dialled: string,
  flags: readonly string[] = [],
): Promise<LastingServer> {
  let before = NOTHING;
  let peer: Peer | undefined;
  const alive = (): Peer => {
    if (peer === undefined) throw new Error(`${listen}: it is dead`);
    return peer;
  };
  const start = async (...more: readonly string[]) => {
    peer = await startPeer("go", ["serve", "--count", "--listen", listen, ...flags, ...more]);
  };
  const counted = async (): Promise<Counted> => {
    if (peer === undefined) return before;
    const answer = (await peer.command("counted")) as { counted: Record<string, Counted> };
    return sum(before, answer.counted[dialled] ?? NOTHING);
  };
  await start();
  return {
    start,
    counted,
    command: (line) => alive().command(line),
    signal: (name) => alive().signal(name),
    async kill() {
      before = await counted();
      await peer?.stop();
      peer = undefined;
    },
  };
}

function sum(a: Counted, b: Counted): Counted {
  return {
    connections: a.connections + b.connections,
    calls: a.calls + b.calls,
    pings: a.pings + b.pings,
    resets: a.resets + b.resets,
    idlePings: Math.max(a.idlePings, b.idlePings),
  };
}
