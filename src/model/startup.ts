/** A server that has never been there is not spoken of before. */
const WAITING_MS = 60_000;

/**
 * How a server is spoken of that may be loading still: not at all in its first minute, as an information
 * until its `startup` is over; `undefined` = there is no patience left, or none was granted.
 */
export function patienceFor({
  waitedMs,
  startupMs,
}: {
  readonly waitedMs: number;
  /** Of the target; 0 = no time to start is granted. */
  readonly startupMs: number;
}): "silent" | "info" | undefined {
  if (startupMs === 0 || waitedMs > startupMs) return undefined;
  return waitedMs <= WAITING_MS ? "silent" : "info";
}
