import type { Instant } from "../time.ts";

/** One server connection of others in one poll. */
export interface SocketReading {
  readonly id: number;
  readonly peer: string;
  readonly open: number;
  readonly started: number;
  /** Absent = not told. */
  readonly canSendBytes?: number;
  readonly writerBlocked?: boolean;
  readonly lastMessageSentAt?: Instant;
}

export interface SocketsPoll {
  readonly at: Instant;
  /** Connections of others in all. */
  readonly connections: number;
  /** Those that were read: the 40 with most open streams. */
  readonly read: readonly SocketReading[];
  /** Id of the last one that was read in its turn: the next cycle goes on after it. */
  readonly lastInTurn?: number;
}

/** The server's connections over the last 12 polls that read sockets, newest last. */
export interface Sockets {
  readonly polls: readonly SocketsPoll[];
  /**
   * Calls of others succeeded in the last 60 s on connections that began in it: the proof that a
   * fault which our own handshake met is not everybody's.
   */
  readonly freshOthersSucceed: boolean;
}
