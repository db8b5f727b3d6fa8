import { isIP } from "node:net";
import { fieldsOf } from "./hosts.ts";

/** The pod's own rules of asking. Source: resolv.conf(5). */
export interface ResolvConf {
  /** Addresses without port; at most 3, as libc uses. */
  readonly nameServers: readonly string[];
  /** Suffixes without a dot at the end; at most 32, as Kubernetes allows. */
  readonly search: readonly string[];
  /** A name with fewer dots is asked with the suffixes first. */
  readonly ndots: number;
}

const MAX_LINES = 1_000;
const MAX_NAME_SERVERS = 3;
const MAX_SEARCH = 32;
const MAX_NDOTS = 15;

/** Reads the text of resolv.conf. Unknown lines are passed over; of `search` the last one holds. */
export function parseResolvConf(text: string): ResolvConf {
  const nameServers: string[] = [];
  let search: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split("\n", MAX_LINES)) {
    const [keyword, ...values] = fieldsOf(line);
    if (keyword === "nameserver") nameServers.push(...values.slice(0, 1).filter(isAddress));
    if (keyword === "search") search = values;
    if (keyword === "domain") search = values.slice(0, 1);
    if (keyword === "options") ndots = ndotsOf(values) ?? ndots;
  }
  return {
    nameServers: nameServers.slice(0, MAX_NAME_SERVERS),
    search: search
      .map((suffix) => suffix.replace(/\.+$/, ""))
      .filter((suffix) => suffix !== "")
      .slice(0, MAX_SEARCH),
    ndots,
  };
}

/**
 * The names that stand for a name, in the order in which libc asks them: with the suffixes first where
 * it has fewer dots than `ndots`, last otherwise. A dot at the end means: this name and no other.
 */
export function expansionsOf(name: string, { search, ndots }: ResolvConf): readonly string[] {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const dots = name.split(".").length - 1;
  const withSuffix = search.map((suffix) => `${name}.${suffix}`);
  const ordered = dots >= ndots ? [name, ...withSuffix] : [...withSuffix, name];
  return [...new Set(ordered)];
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

function ndotsOf(options: readonly string[]): number | undefined {
  const value = options.findLast((option) => /^ndots:\d+$/.test(option))?.slice("ndots:".length);
  return value === undefined ? undefined : Math.min(Number(value), MAX_NDOTS);
}
