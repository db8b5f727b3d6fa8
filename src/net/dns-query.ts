import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import type { DnsObservation } from "../model/observation.ts";
import { present } from "../model/present.ts";

export type DnsCause = NonNullable<DnsObservation["cause"]>;

/** The answer to one full name: its addresses of both families, or why there are none. */
export type QueryAnswer =
  | {
      readonly addresses: readonly string[];
      readonly ttlMs: number;
      /** The other family's question got no answer, and was waited for. */
      readonly unanswered?: NonNullable<DnsObservation["unanswered"]>;
    }
  | { readonly cause: DnsCause };

export interface QueryOptions {
  /** `address` or `address:port` of each server, brackets around IPv6. */
  readonly servers: readonly string[];
  readonly signal: AbortSignal;
}

/** Two tries of c-ares, 1 s and 2 s: together the 3 s after which silence counts as failure. */
const TRY_MS = 1_000;
const TRIES = 2;

/**
 * Asks for A and AAAA of one full name: no hosts file, no search list. One family that answers is an
 * answer; a name without either fails with the graver cause of the two. Never rejects: an abort is
 * `timeout`, as nobody answered in the time there was.
 */
export async function queryName(name: string, options: QueryOptions): Promise<QueryAnswer> {
  if (options.signal.aborted) return { cause: "timeout" };
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  resolver.setServers(options.servers);
  const cancel = () => resolver.cancel();
  options.signal.addEventListener("abort", cancel, { once: true });
  const settled = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ]);
  options.signal.removeEventListener("abort", cancel);

  const causes = settled.map((one) => ("reason" in one ? causeOf(one.reason) : undefined));
  const silent = (["A", "AAAA"] as const).find((_, index) => causes[index] === "timeout");
  const records = settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  if (records.length > 0) {
    return {
      addresses: records.map(({ address }) => address).filter((address) => isIP(address) !== 0),
      ttlMs: 1_000 * Math.min(...records.map(({ ttl }) => ttl)),
      ...present({ unanswered: silent }),
    };
  }
  return { cause: gravest(causes.map((cause) => cause ?? "no-data")) };
}

/** Gravest first: a server that does not answer says less about the name than one that denies it. */
const GRAVITY: readonly DnsCause[] = ["timeout", "servfail", "refused", "no-data", "nxdomain"];

/** The cause to report of several: one name that could not be asked outweighs those that do not exist. */
export function gravest(causes: readonly DnsCause[]): DnsCause {
  return GRAVITY.find((cause) => causes.includes(cause)) ?? "no-data";
}

/** Names of c-ares, which libc's resolver and the DNS itself call otherwise. */
const CAUSES: Readonly<Record<string, DnsCause>> = {
  ENOTFOUND: "nxdomain",
  EBADNAME: "nxdomain",
  ENODATA: "no-data",
  ESERVFAIL: "servfail",
  ENOTIMP: "servfail",
  EFORMERR: "servfail",
  EBADRESP: "servfail",
  EREFUSED: "refused",
};

function causeOf(reason: unknown): DnsCause {
  const code = reason instanceof Error && "code" in reason ? String(reason.code) : "";
  // ETIMEOUT, ECANCELLED, and ECONNREFUSED: no answer, however that was noticed.
  return CAUSES[code] ?? "timeout";
}
