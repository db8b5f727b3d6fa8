import { CallError } from "../grpc/call-error.ts";
import { ChannelzReader, SERVE_CHANNELZ } from "../grpc/channelz.ts";
import { readChannels } from "../grpc/channelz-channels.ts";
import { serverTotals } from "../grpc/channelz-facts.ts";
import { readServerSockets, type ServerSockets, serverAt } from "../grpc/channelz-servers.ts";
import { dialectOf } from "../grpc/dialects/index.ts";
import type { Connection } from "../grpc/transport.ts";
import type { SocketFacts } from "../model/channelz.ts";
import type { Observation } from "../model/observation.ts";
import type { Clock } from "../model/time.ts";
import { defineSource, type Run, type Tools } from "./source.ts";
import { available, isRefused, notLetIn, refused } from "./standing.ts";

const MAX_SERVERS = 100;
/** What the app's own channels may cost in one cycle: 120 small calls where it has that many. */
const CHANNELS = { channels: 500, subchannels: 60, sockets: 60 } as const;
const NO_SOCKETS: ServerSockets = { listed: 0, truncated: false, read: [] };
/**
 * One cycle of channelz over the kept connection: the server that is the target, its connections within
 * the budget, and the app's own channels; normalised by the dialect of the implementation, without our
 * own connections.
 *
 * Source: gRFC A14.
 */
export const channelz = defineSource({
  name: "channelz",

  async *observe(run, tools) {
    let connection: Connection;
    try {
      connection = await tools.keptConnection(run.target, run.signal);
    } catch (thrown) {
      const question = {
        source: "channelz",
        target: run.target.name,
        at: tools.clock.now(),
      } as const;
      return yield* notLetIn(thrown, question);
    }
    yield* cycle(run, tools, connection);
  },
});

async function* cycle(
  run: Run<"channelz">,
  tools: Tools,
  connection: Connection,
): AsyncIterable<Observation> {
  const { clock } = tools;
  const { target } = run;
  const question = () => ({ source: "channelz", target: target.name, at: clock.now() }) as const;
  if (isRefused(connection, question())) return;
  try {
    const observation = await read(run, tools, connection);
    yield* available(connection, question());
    yield observation;
  } catch (thrown) {
    if (!(thrown instanceof CallError)) throw thrown;
    if (!thrown.isCapability && !thrown.isUnreadable) return;
    yield* refused(connection, question(), { error: thrown, fix: SERVE_CHANNELZ });
  }
}

async function read(
  { job, target, signal }: Run<"channelz">,
  tools: Tools,
  connection: Connection,
): Promise<Observation> {
  const { clock } = tools;
  const startedMs = clock.monotonicMs();
  const reader = new ChannelzReader(connection, { clock, signal });
  const asked = reader.servers(MAX_SERVERS);
  // Now, while our own GetServers is in flight, as it is in the server's own count of it.
  const ownCalls = tools.ownCalls.read(target.name);
  const { items } = await asked;
  const server = serverAt(target.endpoint, items);
  const witness = server ?? items[0];
  const dialect = dialectOf({
    settings: connection.settings,
    ...(witness !== undefined && { server: witness }),
  });

  const { socketBudget: budget, suspects, resumeAfter } = job;
  const serverId = server?.ref?.serverId;
  const wish = { budget, suspects, resumeAfter };
  const sockets =
    serverId === undefined
      ? NO_SOCKETS
      : await readServerSockets(reader, dialect, { ...wish, serverId });
  const others = sockets.read.filter((socket) => !isOwn(socket, connection, tools.ownPorts()));
  const channels = await readChannels(reader, dialect, CHANNELS);
  // The kept connection is one of those that are listed, whether it was read or not.
  const own = Math.max(1, sockets.read.length - others.length);
  return {
    source: "channelz",
    kind: "cycle",
    target: target.name,
    at: clock.now(),
    implementation: dialect.implementation,
    ...(server !== undefined && { server: serverTotals(server, dialect) }),
    ownCalls,
    socketCount: Math.max(0, sockets.listed - own),
    socketsTruncated: sockets.truncated,
    sockets: others.map((socket) => inOwnTime(socket, clock)),
    ...(sockets.lastInTurn !== undefined && { lastInTurn: sockets.lastInTurn }),
    channels,
    durationMs: clock.monotonicMs() - startedMs,
  };
}

/** The server's stamps are of the wall clock that we share; how old they are must not change when it is set. */
function inOwnTime({ lastRemoteStreamAt, ...socket }: SocketFacts, clock: Clock): SocketFacts {
  if (lastRemoteStreamAt === undefined) return socket;
  return { ...socket, lastRemoteStreamAt: lastRemoteStreamAt - clock.shown(0) };
}

/**
 * Our own connections by their local port. A port is unique per address only: over loopback a client of
 * another host, which may have the same one, is not ours.
 */
function isOwn(
  { peer, peerPort }: SocketFacts,
  { address }: Connection,
  ownPorts: ReadonlySet<number>,
): boolean {
  if (peerPort === undefined || !ownPorts.has(peerPort)) return false;
  return isLoopback(peer) || !isLoopback(address);
}

function isLoopback(address: string): boolean {
  return /^(?:127\.|\[?::1\b)/.test(address);
}
