import { isIP } from "node:net";

/** More lines than this are not read: a hosts file of an ad blocker must not cost us anything. */
const MAX_LINES = 10_000;

/** Lower-case host name → its addresses, in the order of the file, without duplicates. */
export type HostsTable = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the text of a hosts file: an address, then its names; `#` begins a comment. What is no address
 * is passed over, as libc does. Source: hosts(5).
 */
export function parseHosts(text: string): HostsTable {
  const table = new Map<string, string[]>();
  for (const line of text.split("\n", MAX_LINES)) {
    const [address = "", ...names] = fieldsOf(line);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const known = table.get(key) ?? [];
      if (!known.includes(address)) table.set(key, [...known, address]);
    }
  }
  return table;
}

/** The fields of one line, comment and white space left out. */
export function fieldsOf(line: string): readonly string[] {
  const [content = ""] = line.split(/[#;]/, 1);
  return content.split(/\s+/).filter((field) => field !== "");
}
