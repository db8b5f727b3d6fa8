import type { Limit } from "../model/detector-record.ts";
import { formatDuration, formatSize } from "./units.ts";

/** A limit's value as the file writes it. */
export function limitText({ unit }: Limit, value: number): string {
  if (unit === "ms") return formatDuration(value);
  return unit === "bytes" ? formatSize(value) : String(value);
}
