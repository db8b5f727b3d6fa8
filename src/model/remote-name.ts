import type { Expectation } from "./facts/expectation.ts";
import { upstreamName } from "./upstream-name.ts";

/**
 * What a remote of the app's connections is called: the target of the app's own channel that names it,
 * else the configured upstream that these rows belong to, else its address. Only the first two are known
 * to be gRPC: the third may be a database.
 *
 * @param service `ip:port`
 */
export function remoteName(
  service: string,
  { own, knownAs }: { readonly own?: string; readonly knownAs: Readonly<Record<string, string>> },
): { readonly upstream: string; readonly isKnown: boolean } {
  const target = knownAs[service] ?? own;
  if (target === undefined) return { upstream: service, isKnown: false };
  return { upstream: upstreamName(target).name, isKnown: true };
}

/** The name that all rows of this target belong to: a configured upstream's. */
export function ownName({ role, address }: Expectation): { readonly own?: string } {
  return role === "upstream" ? { own: address } : {};
}
