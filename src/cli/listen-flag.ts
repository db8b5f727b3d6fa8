import { parseListen } from "../config/address.ts";
import type { ListenAddress } from "../model/settings.ts";
import { UsageError } from "./exit.ts";
import type { Flag } from "./flag.ts";

/** Where the two listeners are, for the commands that start them, and where they are without it. */
export function listenFlags(listen: string, admin: string): readonly Flag[] {
  const says = (what: string, instead: string) => `where ${what} served, instead of ${instead}`;
  return [
    { name: "listen", value: "ADDR", says: says("/metrics is", listen) },
    { name: "admin", value: "ADDR", says: says("findings and status are", admin) },
  ];
}

/** The address that a flag gives to one of the two listeners; `undefined` where it is not given. */
export function listenFlag(flag: string, text: string | undefined): ListenAddress | undefined {
  if (text === undefined) return undefined;
  const parsed = parseListen(text);
  if ("allowed" in parsed) throw new UsageError(`--${flag} takes ${parsed.allowed}, not ${text}`);
  return parsed.value;
}
