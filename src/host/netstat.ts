/** Counters of the whole network namespace: of every listener in it. */
export interface ListenCounters {
  /** Connections dropped because an accept queue was full; cumulative. */
  readonly overflows?: number;
  /** The same, and those dropped for other reasons while they were being set up. */
  readonly drops?: number;
}

/**
 * Reads TcpExt of /proc/net/netstat: a line of names, then a line of values. A kernel that does not
 * count leaves the key out. Source: Linux Documentation/networking/snmp_counter.rst.
 */
export function parseNetstat(text: string): ListenCounters {
  const [names = [], values = []] = text
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"))
    .map((line) => line.trim().split(/\s+/));
  const counter = (name: string) => {
    const at = names.indexOf(name);
    const text = values[at] ?? "";
    const value = at >= 0 && /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value) ? value : undefined;
  };
  const overflows = counter("ListenOverflows");
  const drops = counter("ListenDrops");
  return {
    ...(overflows === undefined ? {} : { overflows }),
    ...(drops === undefined ? {} : { drops }),
  };
}
