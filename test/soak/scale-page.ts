import { readFileSync } from "node:fs";

/** What one agent asks of an upstream and of DNS in a minute, as docs/scale.md says. */
export interface AMinute {
  readonly connections: number;
  readonly calls: number;
  readonly pings: number;
  readonly queries: number;
}

const PAGE = readFileSync(new URL("../../docs/scale.md", import.meta.url), "utf8");

/** The last column of the row with this name. */
function figure(row: string): number {
  const cells = PAGE.split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .find(([, name]) => name === row);
  if (cells === undefined) throw new Error(`docs/scale.md has no row ${row}`);
  return Number(cells.at(-2));
}

export const A_MINUTE: AMinute = {
  connections: figure("upstream: connections a minute"),
  calls: figure("upstream: calls a minute"),
  pings: figure("upstream: PINGs a minute"),
  queries: figure("DNS queries a minute"),
};
