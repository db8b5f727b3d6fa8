import type { KernelInterest } from "../model/job.ts";
import type { KernelObservation } from "../model/observation.ts";
import type { ListenRow, RemoteRows } from "../model/socket-rows.ts";
import { hostPort } from "../model/target.ts";
import { createInboundTally, type InboundTally } from "./inbound-tally.ts";
import { createRemoteTally } from "./remote-tally.ts";
import { addressText, canonicalAddress, isLoopback, TCP_STATE, type TcpRow } from "./tcp-row.ts";

export interface FoldOptions {
  readonly interests: readonly KernelInterest[];
  /** Local ports of our own client sockets. */
  readonly ownPorts: ReadonlySet<number>;
  /** Ports that we listen on. */
  readonly ownListeners: readonly number[];
}

/** What the table says to one interest. */
export type RowFacts = Pick<
  KernelObservation,
  "listeners" | "listening" | "inbound" | "keptReceiveQueueBytes" | "remotes" | "otherRemotes"
>;

/** What it says of the network namespace as a whole. */
export interface NamespaceFacts {
  readonly sharesNetwork: boolean;
  readonly tellsAcceptance: boolean;
  readonly listeningPorts: ReadonlySet<number>;
}

export interface RowFold {
  add(row: TcpRow): void;
  factsFor(interest: KernelInterest): RowFacts;
  namespaceFacts(): NamespaceFacts;
}

const MAX_LISTEN_ROWS = 2_000;
const MAX_LISTENING = 40;
const MAX_OTHER_REMOTES = 100;
const NOTHING_INBOUND = createInboundTally(undefined).inbound;

/**
 * Folds the rows of the socket table, each looked at once, into what each target wants to know. Our
 * own rows are left out: client sockets by their local port, the app's side of them by its remote port
 * on this very host, what we listen on by its port. A row on a port that is listened on came in; every
 * other row is the app's own dial.
 */
export function createRowFold({ interests, ownPorts, ownListeners }: FoldOptions): RowFold {
  const own = new Set(ownListeners);
  const tallies = new Map<number, InboundTally>();
  for (const { role, port, keptPort } of interests) {
    if (role === "app" && port !== undefined) tallies.set(port, createInboundTally(keptPort));
  }
  const listenRows: TcpRow[] = [];
  const listeningPorts = new Set<number>();
  const outbound = createRemoteTally();
  /** Addresses as text, made once, when the first interest asks. */
  let told: { listening: readonly string[]; remotes: readonly RemoteRows[] } | undefined;
  let hasStrangers = false;
  let hasInodes = false;

  const addListener = (row: TcpRow) => {
    if (own.has(row.localPort)) return;
    hasStrangers = true;
    listeningPorts.add(row.localPort);
    if (listenRows.length < MAX_LISTEN_ROWS) listenRows.push(row);
  };
  const addConnection = (row: TcpRow) => {
    const isOurs = ownPorts.has(row.localPort) || own.has(row.localPort);
    if (isOurs) return;
    // Closed sockets have no owner any more: those of our earlier connections look like these.
    if (row.state !== TCP_STATE.timeWait) hasStrangers = true;
    const tally = tallies.get(row.localPort);
    if (tally !== undefined)
      return isFarEndOfOurs(row, ownPorts) ? tally.addOwn(row) : tally.add(row);
    if (!listeningPorts.has(row.localPort)) outbound.add(row);
  };

  return {
    add(row) {
      if (row.inode !== 0) hasInodes = true;
      if (row.state === TCP_STATE.listen) addListener(row);
      else addConnection(row);
    },
    namespaceFacts: () => ({
      sharesNetwork: hasStrangers,
      tellsAcceptance: hasInodes && listenRows.every(({ hasTiming }) => hasTiming),
      listeningPorts,
    }),
    factsFor(interest) {
      told ??= {
        listening: textsOf(listenRows),
        remotes: outbound.rows(),
      };
      const { listening, remotes } = told;
      const tally = interest.role === "app" ? tallies.get(interest.port ?? -1) : undefined;
      const onPort = listenRows.filter(({ localPort }) => localPort === interest.port);
      return {
        ...inboundFacts(tally),
        listeners: tally === undefined ? [] : onPort.map((row) => listenRow(row, hasInodes)),
        listening,
        remotes: interest.role === "upstream" ? remotes.filter(isOf(interest)) : [],
        otherRemotes: interest.ownsPod ? othersOf(remotes, interests) : [],
      };
    },
  };
}

function inboundFacts(
  tally: InboundTally | undefined,
): Pick<RowFacts, "inbound" | "keptReceiveQueueBytes"> {
  const kept = tally?.ownReceiveQueueBytes;
  return {
    inbound: { ...(tally?.inbound ?? NOTHING_INBOUND) },
    ...(kept === undefined ? {} : { keptReceiveQueueBytes: kept }),
  };
}

function textsOf(rows: readonly TcpRow[]): readonly string[] {
  const texts = new Set(rows.map((row) => hostPort(addressText(row.local), row.localPort)));
  return [...texts].sort().slice(0, MAX_LISTENING);
}

/** The other half of a connection that we made to ourselves' host: same address, our port. */
function isFarEndOfOurs(row: TcpRow, ownPorts: ReadonlySet<number>): boolean {
  const isThisHost = row.remote === row.local || isLoopback(row.remote);
  return isThisHost && ownPorts.has(row.remotePort);
}

function listenRow(row: TcpRow, hasInodes: boolean): ListenRow {
  return {
    address: addressText(row.local),
    port: row.localPort,
    queued: row.receiveQueue,
    ...(hasInodes ? { inode: row.inode } : {}),
  };
}

/** Whether rows are towards this upstream. */
function isOf({ port, addresses }: KernelInterest): (rows: RemoteRows) => boolean {
  const wanted = new Set(addresses.map(canonicalAddress));
  return (rows) => rows.port === port && wanted.has(rows.address);
}

/** Towards none of the upstreams, and out of the pod: the worst first, as only so many are told. */
function othersOf(
  remotes: readonly RemoteRows[],
  interests: readonly KernelInterest[],
): readonly RemoteRows[] {
  const known = interests.filter(({ role }) => role === "upstream").map(isOf);
  return remotes
    .filter((rows) => !isLocal(rows.address) && !known.some((isKnown) => isKnown(rows)))
    .toSorted((a, b) => b.synSent - a.synSent || b.established - a.established)
    .slice(0, MAX_OTHER_REMOTES);
}

function isLocal(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
