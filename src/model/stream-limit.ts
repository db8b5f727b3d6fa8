import type { Sockets } from "./facts/sockets.ts";
import type { UpstreamCalls, UpstreamPoll } from "./facts/upstream-calls.ts";
import { isLoopback } from "./target.ts";

/** A connection that has been at a number of streams in every poll that read it, up to now. */
export interface FullConnection {
  readonly id: number;
  readonly peer: string;
  readonly open: number;
  /** Between the first and the last poll of that run; 0 where only one has seen it. */
  readonly ms: number;
  /** No stream started in that run: they are held, not turned over. */
  readonly isHeld: boolean;
  /**
   * Places are taken again and again, so somebody may wait for one: in that run, or before it by more
   * streams than are held now. A client that keeps a pool of exactly the limit does neither.
   */
  readonly isInDemand: boolean;
}

/** Connections with at least `least` streams in the newest poll; those for longest first. */
export function fullConnections(sockets: Sockets, least: number): readonly FullConnection[] {
  const newest = sockets.polls.at(-1);
  const full = (newest?.read ?? []).flatMap(({ id, peer, open, started }) => {
    const readings = sockets.polls.flatMap(({ at, read }) => {
      const reading = read.find((socket) => socket.id === id);
      return reading === undefined ? [] : [{ at, ...reading }];
    });
    const run = readings.slice(readings.findLastIndex((reading) => reading.open < least) + 1);
    const [first] = run;
    if (newest === undefined || first === undefined) return [];
    const isHeld = started === first.started;
    const isInDemand = !isHeld || started - open > open;
    return [{ id, peer, open, ms: newest.at - first.at, isHeld, isInDemand }];
  });
  return full.toSorted((a, b) => b.ms - a.ms || b.open - a.open);
}

/**
 * Whether the same peer has a newer connection with room: as a client has it that opens a further one
 * when the first is full. Peers on loopback are as many clients as there are connections.
 */
export function hasRoomBeside(
  { id, peer }: FullConnection,
  sockets: Sockets,
  { most, isProxied }: { readonly most: number; readonly isProxied: boolean },
): boolean {
  const isOneClient = peer !== "" && (isProxied || !isLoopback(peer));
  const newest = sockets.polls.at(-1)?.read ?? [];
  return (
    isOneClient && newest.some((other) => other.peer === peer && other.id > id && other.open < most)
  );
}

export interface FullUpstream {
  readonly ms: number;
  /** Without those that wait for a place. */
  readonly openStreams: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly isHeld: boolean;
}

/**
 * For how long every connection of the app to an upstream has been at its limit while more calls than
 * that are in flight: 0 where only one poll has seen it; `undefined` where this is not so now.
 */
export function fullUpstreamMs({ polls }: UpstreamCalls, most: number): FullUpstream | undefined {
  const run = polls.slice(polls.findLastIndex((poll) => !isFull(poll, most)) + 1);
  const first = run[0];
  const last = run.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return {
    ms: last.at - first.at,
    openStreams: last.countsQueued ? placesOf(last, most) : sumOf(last, "open"),
    connections: sumOf(last, "connections"),
    inFlight: inFlightOf(last),
    isHeld: sumOf(last, "started") === sumOf(first, "started"),
  };
}

/** Calls must wait: in flight beyond what is open, or beyond what the connections can carry. */
function isFull(poll: UpstreamPoll, most: number): boolean {
  const remotes = Object.values(poll.remotes).filter(({ connections }) => connections > 0);
  const { countsQueued = false } = poll;
  const open = sumOf(poll, "open");
  const carried = countsQueued ? placesOf(poll, most) : open;
  if (remotes.length === 0 || inFlightOf(poll) <= carried) return false;
  if (countsQueued && open <= carried) return false;
  return remotes.every((remote) => remote.open >= most * remote.connections);
}

function placesOf(poll: UpstreamPoll, most: number): number {
  return most * sumOf(poll, "connections");
}

function inFlightOf({ callsStarted, callsSucceeded, callsFailed }: UpstreamPoll): number {
  return callsStarted - callsSucceeded - callsFailed;
}

function sumOf(poll: UpstreamPoll, what: "open" | "started" | "connections"): number {
  return Object.values(poll.remotes).reduce((sum, remote) => sum + remote[what], 0);
}
