import type { OutboundMinute, OutboundRead, RemoteMinute } from "../model/facts/outbound.ts";
import type { RemoteRows } from "../model/socket-rows.ts";
import { hostPort } from "../model/target.ts";
import { pushed } from "./ring.ts";

const MINUTE_MS = 60_000;
const MOST_MINUTES = 12;
const MOST_REMOTES = 100;
/** A list of ports this long is cut, and cannot be compared. */
const MOST_PORTS = 64;
/** Fewer of any are not worth remembering. */
const BUSY = { established: 5, newPorts: 3, timeWait: 500 } as const;

/** Adds one read to the minute that runs, or begins the next one; a minute that ended keeps what was busy. */
export function addedToMinutes(
  minutes: readonly OutboundMinute[],
  before: OutboundRead | undefined,
  read: OutboundRead,
): readonly OutboundMinute[] {
  const running = minutes.at(-1);
  if (running === undefined || read.at - running.at >= MINUTE_MS) {
    const ended = minutes.map((minute) => (minute === running ? busyOf(minute) : minute));
    const begun = { at: read.at, to: read.at, remotes: addedUp([], before, read) };
    return pushed(ended, begun, MOST_MINUTES);
  }
  const remotes = addedUp(running.remotes, before, read);
  return [...minutes.slice(0, -1), { at: running.at, to: read.at, remotes }];
}

function addedUp(
  already: readonly RemoteMinute[],
  before: OutboundRead | undefined,
  read: OutboundRead,
): readonly RemoteMinute[] {
  const gone = already.map((remote) => ({ ...remote, established: 0, timeWait: 0 }));
  const remotes = new Map(gone.map((remote) => [keyOf(remote), remote]));
  for (const rows of read.remotes) {
    const { address, port, established, timeWait } = rows;
    const newPorts = (remotes.get(keyOf(rows))?.newPorts ?? 0) + newPortsOf(rows, before);
    remotes.set(keyOf(rows), { address, port, established, timeWait, newPorts });
  }
  return [...remotes.values()].toSorted(busiestFirst).slice(0, MOST_REMOTES);
}

function busyOf(minute: OutboundMinute): OutboundMinute {
  const remotes = minute.remotes.filter(
    ({ established, newPorts, timeWait }) =>
      established >= BUSY.established || newPorts >= BUSY.newPorts || timeWait >= BUSY.timeWait,
  );
  return { ...minute, remotes };
}

function busiestFirst(a: RemoteMinute, b: RemoteMinute): number {
  return b.established + b.newPorts - (a.established + a.newPorts);
}

function newPortsOf(rows: RemoteRows, before: OutboundRead | undefined): number {
  if (before === undefined || rows.localPorts.length >= MOST_PORTS) return 0;
  const last = before.remotes.find((remote) => keyOf(remote) === keyOf(rows))?.localPorts ?? [];
  if (last.length >= MOST_PORTS) return 0;
  return rows.localPorts.filter((port) => !last.includes(port)).length;
}

function keyOf({ address, port }: Pick<RemoteRows, "address" | "port">): string {
  return hostPort(address, port);
}
