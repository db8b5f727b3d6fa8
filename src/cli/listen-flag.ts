import { parseListen } from "../config/address.ts";
import type { ListenAddress } from "../model/settings.ts";
import { UsageError } from "./exit.ts";

/** The address that a flag gives to one of the two listeners; `undefined` where it is not given. */
export function listenFlag(flag: string, text: string | undefined): ListenAddress | undefined {
  if (text === undefined) return undefined;
  const parsed = parseListen(text);
  if ("allowed" in parsed) throw new UsageError(`--${flag} takes ${parsed.allowed}, not ${text}`);
  return parsed.value;
}
