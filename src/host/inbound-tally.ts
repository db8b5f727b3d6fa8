import { isLoopback, TCP_STATE, TCP_TIMER, type TcpRow } from "./tcp-row.ts";

/** What the rows of one port of the app add up to; the agent's own connections are left out. */
export interface Inbound {
  readonly established: number;
  readonly unaccepted: number;
  readonly synReceived: number;
  readonly loopbackClients: number;
  readonly receiveQueueBytes: number;
  readonly acceptedReceiveQueueBytes: number;
  readonly sendQueueBytes: number;
  readonly zeroWindow: number;
}

export interface InboundTally {
  /** A row of somebody else's connection to the port. */
  add(row: TcpRow): void;
  /** The app's side of a connection of ours. */
  addOwn(row: TcpRow): void;
  readonly inbound: Inbound;
  /** Bytes that the app has not read from our connection: the kept one where its port is known. */
  readonly ownReceiveQueueBytes: number | undefined;
}

/** `keptPort`: the local port of our kept connection; without it the fullest accepted one counts. */
export function createInboundTally(keptPort: number | undefined): InboundTally {
  const sum = {
    established: 0,
    unaccepted: 0,
    synReceived: 0,
    loopbackClients: 0,
    receiveQueueBytes: 0,
    acceptedReceiveQueueBytes: 0,
    sendQueueBytes: 0,
    zeroWindow: 0,
  };
  let ownBytes: number | undefined;
  return {
    inbound: sum,
    get ownReceiveQueueBytes() {
      return ownBytes;
    },
    add(row) {
      if (row.state === TCP_STATE.synReceived) sum.synReceived += 1;
      if (row.state !== TCP_STATE.established) return;
      sum.established += 1;
      if (row.inode === 0) sum.unaccepted += 1;
      else sum.acceptedReceiveQueueBytes += row.receiveQueue;
      if (isLoopback(row.remote)) sum.loopbackClients += 1;
      if (isZeroWindow(row)) sum.zeroWindow += 1;
      sum.receiveQueueBytes += row.receiveQueue;
      sum.sendQueueBytes += row.sendQueue;
    },
    addOwn(row) {
      if (row.state !== TCP_STATE.established) return;
      const isKept = keptPort === undefined ? row.inode !== 0 : row.remotePort === keptPort;
      if (isKept) ownBytes = Math.max(ownBytes ?? 0, row.receiveQueue);
    },
  };
}

/** The peer's window is closed while there is something to send. */
export function isZeroWindow(row: TcpRow): boolean {
  return row.timer === TCP_TIMER.zeroWindowProbe && row.sendQueue > 0;
}
