import type { ProcessReading } from "../model/process-reading.ts";
import type { Clock, Random } from "../model/time.ts";

/** Where text goes. A stream of Node's fits. */
export interface Output {
  write(text: string, taken?: (error?: Error | null) => void): unknown;
  /** What waits for its reader; absent = nothing ever waits. */
  readonly writableLength?: number;
  /** `false`: nobody reads any more. */
  readonly writable?: boolean;
}

/** All of the process that a command may touch. `main.ts` fills it in; tests write it down. */
export interface Program {
  /** Without node and script. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Data: what another program may read. */
  readonly stdout: Output;
  /** Chatter: progress, usage, errors. */
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly isTerminal: { readonly stdout: boolean; readonly stderr: boolean };
  /** Of the terminal; absent where there is none. */
  readonly columns?: number;
  readonly version: string;
  /** The program itself, as Node runs it: the demo starts it again for its other processes. */
  readonly file: string;
  /** Runs a hidden command in a process of its own and resolves with what it tells; may reject. */
  readonly askApart?: (words: readonly string[]) => Promise<unknown>;
  /** Present in such a process: tells who started it, and resolves when that was heard. */
  readonly tellParent?: (message: unknown) => Promise<void>;
  /** The build's dist/proto. */
  readonly protoDirectory: string;
  /** Keys of a terminal, one by one and unechoed, until the signal; absent without a terminal. */
  readonly keys?: (signal: AbortSignal) => AsyncIterable<string>;
  /** The version of Node that runs this. */
  readonly node: string;
  readonly readProcess: () => ProcessReading;
  /** Processor time of this process so far; ms. */
  readonly cpuMs: () => number;
  /** From now on little memory before speed; for a process that stays, once it has started. */
  readonly favourMemory?: () => void;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by SIGTERM and SIGINT; its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Calls the listener at each SIGHUP, until the returned function is called. */
  readonly onHangup: (listener: () => void) => () => void;
  /** The page of a code from the build's docs/findings, or `undefined` when there is none. */
  readonly readPage: (code: string) => Promise<string | undefined>;
}
