import { CallError } from "./call-error.ts";
import { symbolsOf } from "./describe.ts";
import { registryFromFiles } from "./descriptors.ts";
import { type FileLimits, listServices, readFiles } from "./reflection.ts";
import type { Connection } from "./transport.ts";

/** More services than these are not read for a hint. */
const MOST_SERVICES = 10;

/** The symbols that a server's reflection describes, of its first ten services: for a hint. */
export async function knownSymbols(
  connection: Connection,
  limits: FileLimits,
): Promise<readonly string[]> {
  const services = await listServices(connection, limits);
  const symbols = await Promise.all(
    services.slice(0, MOST_SERVICES).map(async (service) => {
      try {
        return symbolsOf(registryFromFiles(await readFiles(connection, service, limits)));
      } catch (thrown) {
        if (thrown instanceof CallError) return [];
        throw thrown;
      }
    }),
  );
  return [...new Set([...services, ...symbols.flat()])];
}
