import type { OutboundRead } from "./facts/outbound.ts";
import type { RemoteRows } from "./socket-rows.ts";
import type { Instant } from "./time.ts";

/** The rows towards one remote, as one read had them. */
export type RowsAt = RemoteRows & { readonly at: Instant };

/** The newest reads in a row in which the app's rows towards this remote are so; oldest first. */
export function runOfRows(
  reads: readonly OutboundRead[],
  { address, port }: Pick<RemoteRows, "address" | "port">,
  isSo: (rows: RemoteRows) => boolean,
): readonly RowsAt[] {
  const rows = reads.map(({ at, remotes }) => {
    const same = remotes.find((row) => row.address === address && row.port === port);
    return same === undefined ? undefined : { ...same, at };
  });
  const isOther = (row: RowsAt | undefined) => row === undefined || !isSo(row);
  return rows.slice(rows.findLastIndex(isOther) + 1).filter((row) => row !== undefined);
}

/** True when the app has a connection there that it had not at the run's begin. */
export function connectedMeanwhile(first: RemoteRows, last: RemoteRows): boolean {
  return last.localPorts.some((port) => !first.localPorts.includes(port));
}
