/** A LISTEN row. Source: Linux net/ipv4/tcp_ipv4.c, /proc/net/tcp. */
export interface ListenRow {
  readonly address: string;
  readonly port: number;
  /** Connections that the kernel completed and the app has not accepted. */
  readonly queued: number;
  /** Absent where the kernel reports 0 for every row. */
  readonly inode?: number;
}

/** Rows of the app towards one remote, folded. Our own rows are left out. */
export interface RemoteRows {
  /** The remote address without port, unmapped. */
  readonly address: string;
  readonly port: number;
  readonly established: number;
  readonly synSent: number;
  /** The highest retransmission count among the SYN_SENT rows. */
  readonly synRetransmits: number;
  readonly timeWait: number;
  readonly closeWait: number;
  /** Established rows whose oldest unacknowledged byte was retransmitted at least once. */
  readonly retransmitting: number;
  readonly maxRetransmits: number;
  /** Rows in a zero-window probe (timer 04) with bytes to send. */
  readonly zeroWindow: number;
  readonly sendQueueBytes: number;
  readonly receiveQueueBytes: number;
  /** Local ports of the established rows, sorted; at most 64. */
  readonly localPorts: readonly number[];
}
