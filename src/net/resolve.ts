import { open } from "node:fs/promises";
import { isIP, isIPv6 } from "node:net";
import { present } from "../model/present.ts";
import { shortageOf } from "../model/shortage.ts";
import type { Clock } from "../model/time.ts";
import { dialOrder } from "./dial-order.ts";
import type { DnsCause, QueryAnswer } from "./dns-query.ts";
import { parseHosts } from "./hosts.ts";
import { expansionsOf, parseResolvConf, type ResolvConf } from "./resolv-conf.ts";

/** What is asked. */
export interface NameQuestion {
  readonly name: string;
  /** `address` or `address:port` of a server to ask in place of the pod's own. */
  readonly nameServer?: string;
  readonly signal: AbortSignal;
}

/** What a name stands for, or why for nothing. */
export type NameAnswer = {
  /** Full names in the order asked, without a dot at the end. */
  readonly triedNames: readonly string[];
  readonly durationMs: number;
} & (
  | {
      readonly outcome: "answered";
      /** `literal`: the name is an address, or localhost. Only `dns` tells of the DNS. */
      readonly via: "literal" | "hosts" | "dns";
      /** Sorted, without duplicates; at most 1000. */
      readonly addresses: readonly string[];
      /** The same in the order in which this agent dials them; absent = the order above. */
      readonly dialOrder?: readonly string[];
      /** The lowest TTL of the answer; absent where it came from no DNS. */
      readonly ttlMs?: number;
      /** As `QueryAnswer` has it. */
      readonly unanswered?: "A" | "AAAA";
    }
  | { readonly outcome: "failed"; readonly cause: DnsCause }
  /** We do not know whom to ask: it says nothing about the name. */
  | { readonly outcome: "unavailable"; readonly reason: string }
);

export interface NameResolver {
  /** Never rejects. An abort is an answer that did not come: `timeout`. */
  resolve(question: NameQuestion): Promise<NameAnswer>;
}

export interface NameResolverOptions {
  readonly clock: Clock;
  /** The pod's UID or name: the pods of a fleet dial the addresses of a name each in its own order. */
  readonly seed?: string;
  /** Default `/etc/hosts`. */
  readonly hostsFile?: string;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConf?: string;
}

const MAX_FILE_BYTES = 1 << 20;
const MAX_ADDRESSES = 1_000;
/** Names whose good expansion is remembered; the oldest is forgotten first. */
const MAX_REMEMBERED = 256;
/** The longest that one full name may take. */
const NAME_PATIENCE_MS = 3_000;
const LOCALHOST = ["127.0.0.1", "::1"] as const;

interface Read {
  readonly text?: string;
  /** Why a file that may well be there could not be read: what it says is not known. */
  readonly shortage?: string;
}

type Asked = readonly [triedNames: readonly string[], answer: QueryAnswer];

/**
 * Looks names up as the programs of this pod do: hosts file, then the pod's name servers with search
 * list and ndots. The expansion that answered is remembered and asked alone afterwards, so that a
 * lookup costs the cluster's DNS two queries and not ten; when it stops existing the whole list is
 * asked again, at once. Both files are read for every lookup: they may change.
 *
 * Source: resolv.conf(5), RFC 6761 section 6.3 (localhost).
 */
export function createNameResolver(options: NameResolverOptions): NameResolver {
  const { clock, seed, hostsFile = "/etc/hosts", resolvConf = "/etc/resolv.conf" } = options;
  const remembered = new Map<string, string>();

  const remember = (key: string, expansion: string) => {
    remembered.delete(key);
    remembered.set(key, expansion);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  };
  const ask = async (question: NameQuestion, conf: ResolvConf): Promise<Asked> => {
    // With it comes node:dns/promises, which an agent of one address does without.
    const { gravest, queryName } = await import("./dns-query.ts");
    const { name, nameServer, signal } = question;
    const servers = (nameServer === undefined ? conf.nameServers : [nameServer]).map(serverText);
    const key = JSON.stringify([name, servers, conf.search, conf.ndots]);
    const good = remembered.get(key);
    const tried: string[] = [];
    const causes: DnsCause[] = [];
    for (const expansion of new Set([
      ...(good === undefined ? [] : [good]),
      ...expansionsOf(name, conf),
    ])) {
      tried.push(expansion);
      const answer = await queryName(expansion, {
        servers,
        signal: clock.deadline(NAME_PATIENCE_MS, signal),
      });
      if ("addresses" in answer) {
        remember(key, expansion);
        return [tried, answer];
      }
      causes.push(answer.cause);
      // A server that is silent stays silent for the other names, and the good name is the good name.
      if (answer.cause === "timeout" || (expansion === good && isFault(answer.cause))) break;
    }
    return [tried, { cause: gravest(causes) }];
  };

  return {
    async resolve(question) {
      const startedMs = clock.monotonicMs();
      const done = () => clock.monotonicMs() - startedMs;
      const local = (via: "literal" | "hosts", addresses: readonly string[]): NameAnswer => {
        const sorted = [...addresses].sort();
        return { outcome: "answered", via, addresses: sorted, triedNames: [], durationMs: done() };
      };
      const name = question.name.replace(/\.$/, "").toLowerCase();
      if (isIP(name) !== 0) return local("literal", [name]);
      if (name === "localhost" || name.endsWith(".localhost")) return local("literal", LOCALHOST);
      const [hosts, conf] = await Promise.all([readText(hostsFile), readText(resolvConf)]);
      const listed = parseHosts(hosts.text ?? "").get(name);
      if (listed !== undefined) return local("hosts", listed);

      const reason = whyNotRead(hosts, conf) ?? whyNobodyToAsk(question, conf.text);
      if (reason !== undefined) {
        return { outcome: "unavailable", reason, triedNames: [], durationMs: done() };
      }
      const [triedNames, found] = await ask(question, parseResolvConf(conf.text ?? ""));
      const facts = { triedNames, durationMs: done() };
      if ("cause" in found) return { outcome: "failed", cause: found.cause, ...facts };
      return { ...answered(found, seed), ...facts };
    },
  };
}

function answered(
  { addresses: found, ...facts }: Extract<QueryAnswer, { readonly ttlMs: number }>,
  seed: string | undefined,
) {
  const addresses = [...new Set(found)].sort().slice(0, MAX_ADDRESSES);
  const order = seed === undefined ? {} : { dialOrder: dialOrder(addresses, seed) };
  return { outcome: "answered", via: "dns", addresses, ...order, ...facts } as const;
}

/** Causes that say nothing about whether the name exists. */
function isFault(cause: DnsCause): boolean {
  return cause !== "nxdomain" && cause !== "no-data";
}

function whyNotRead(...files: readonly Read[]): string | undefined {
  const errno = files.find(({ shortage }) => shortage !== undefined)?.shortage;
  return errno && `the agent is short of descriptors or memory (${errno})`;
}

function whyNobodyToAsk(
  question: NameQuestion,
  resolvConf: string | undefined,
): string | undefined {
  const { nameServer } = question;
  if (nameServer !== undefined) {
    return isServer(nameServer) ? undefined : "the name server is not given as an address";
  }
  if (resolvConf === undefined) return "resolv.conf cannot be read";
  return parseResolvConf(resolvConf).nameServers.length === 0
    ? "resolv.conf names no name server"
    : undefined;
}

/** `1.2.3.4`, `1.2.3.4:53`, `[::1]:53`, `::1`. */
function isServer(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  return isIP(bracketed ?? plain ?? "") !== 0 && Number(port ?? 53) <= 65_535;
}

/** As c-ares wants it: an IPv6 address in brackets. */
function serverText(server: string): string {
  return isIPv6(server) ? `[${server}]` : server;
}

/** The text of a small file, cut at 1 MiB; absent where it cannot be read. */
async function readText(path: string): Promise<Read> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, MAX_FILE_BYTES)));
      return { text: buffer.toString("utf8", 0, bytesRead) };
    } finally {
      await file.close();
    }
  } catch (thrown) {
    // Absent or forbidden: told as an answer that nobody could be asked for.
    return present({ shortage: shortageOf(thrown) });
  }
}
