/** Where the lines go: each call is one whole line with its line break. A stream of Node's fits. */
export interface LogStream {
  /** `taken` is called when the line is with its reader, or with the error that lost it. */
  write(line: string, taken?: (error?: Error | null) => void): unknown;
  /** What waits for its reader; absent = nothing ever waits. */
  readonly writableLength?: number;
  /** `false`: nobody reads any more. */
  readonly writable?: boolean;
}

/**
 * What may wait in our memory for a reader that is slow or stands still, beside the 64 KiB that the
 * kernel's pipe holds: Node would keep all of it, and a log driver that hangs would fill the pod.
 */
const MOST_WAITING_BYTES = 256 * 1024;

/** False where a line would be lost, or wait with too many others. */
export function takesLines({ writable = true, writableLength = 0 }: LogStream): boolean {
  return writable && writableLength < MOST_WAITING_BYTES;
}

/** Resolves when all lines are with their reader, or the signal is aborted. */
export function flushed(stream: LogStream, signal: AbortSignal): Promise<void> {
  const { writable = true, writableLength = 0 } = stream;
  if (!writable || writableLength === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    stream.write("", () => resolve());
  });
}
