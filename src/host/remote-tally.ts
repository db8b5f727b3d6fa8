import type { RemoteRows } from "../model/socket-rows.ts";
import { isZeroWindow } from "./inbound-tally.ts";
import { addressText, type HexAddress, TCP_STATE, TCP_TIMER, type TcpRow } from "./tcp-row.ts";

/** Remotes that are told apart; the rows of more are left out. */
const MAX_REMOTES = 5_000;
const MAX_LOCAL_PORTS = 64;

type Sum = {
  -readonly [K in keyof Omit<RemoteRows, "address" | "port" | "localPorts">]: RemoteRows[K];
} & { readonly remote: HexAddress; readonly port: number; readonly localPorts: number[] };

export interface RemoteTally {
  /** A row of the app towards a remote. */
  add(row: TcpRow): void;
  /** By remote, in the order in which they came. */
  rows(): readonly RemoteRows[];
}

/** Folds rows by the address and port of their far end. */
export function createRemoteTally(): RemoteTally {
  const sums = new Map<string, Sum>();
  const sumOf = (row: TcpRow): Sum | undefined => {
    const key = `${row.remote}:${row.remotePort}`;
    const known = sums.get(key);
    if (known !== undefined || sums.size >= MAX_REMOTES) return known;
    const sum = emptySum(row);
    sums.set(key, sum);
    return sum;
  };
  return {
    add(row) {
      const sum = sumOf(row);
      if (sum !== undefined) addRow(sum, row);
    },
    rows: () => [...sums.values()].map(rowsOf),
  };
}

function addRow(sum: Sum, row: TcpRow): void {
  switch (row.state) {
    case TCP_STATE.established:
      addEstablished(sum, row);
      break;
    case TCP_STATE.synSent:
      sum.synSent += 1;
      sum.synRetransmits = Math.max(sum.synRetransmits, row.retransmits);
      break;
    case TCP_STATE.timeWait:
      sum.timeWait += 1;
      break;
    case TCP_STATE.closeWait:
      sum.closeWait += 1;
      break;
    default: // on its way out: it says nothing that the other states do not
  }
}

function addEstablished(sum: Sum, row: TcpRow): void {
  sum.established += 1;
  sum.sendQueueBytes += row.sendQueue;
  sum.receiveQueueBytes += row.receiveQueue;
  if (isZeroWindow(row)) sum.zeroWindow += 1;
  if (sum.localPorts.length < MAX_LOCAL_PORTS) sum.localPorts.push(row.localPort);
  if (row.timer !== TCP_TIMER.retransmit || row.retransmits === 0) return;
  sum.retransmitting += 1;
  sum.maxRetransmits = Math.max(sum.maxRetransmits, row.retransmits);
}

function emptySum(row: TcpRow): Sum {
  return {
    remote: row.remote,
    port: row.remotePort,
    established: 0,
    synSent: 0,
    synRetransmits: 0,
    timeWait: 0,
    closeWait: 0,
    retransmitting: 0,
    maxRetransmits: 0,
    zeroWindow: 0,
    sendQueueBytes: 0,
    receiveQueueBytes: 0,
    localPorts: [],
  };
}

function rowsOf({ remote, localPorts, ...sum }: Sum): RemoteRows {
  return {
    address: addressText(remote),
    ...sum,
    localPorts: localPorts.toSorted((a, b) => a - b),
  };
}
