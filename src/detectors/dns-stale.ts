import type { Peer } from "../model/facts/peers.ts";
import { isConfirmedRun, type Reach } from "../model/facts/reach.ts";
import type { Resolution, SeenAddress } from "../model/facts/resolution.ts";
import type { Symptom } from "../model/finding.ts";
import { own } from "../model/own.ts";
import { present } from "../model/present.ts";
import type { Witness } from "../model/source-name.ts";
import { boundList } from "../model/subjects.ts";
import { hostOf } from "../model/target.ts";
import { defineDetector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";

/** Answers without the address that make it stale: fewer could be one bad answer. */
const ANSWERS = 3;
const ANSWERS_WHEN_DEAD = 2;
/** SYN_SENT rows with fewer retransmissions may be one lost packet. */
const RETRANSMITS = 2;
/** An address that came back may stay away for so many of its longest gaps. */
const GAPS = 3;
/** Where proxies of the pod listen. The rest of 127.0.0.0/8 is an address as any other. */
const LOCAL_PROXY: ReadonlySet<string> = new Set(["127.0.0.1", "::1"]);

/**
 * The app still uses an address that has left the DNS answer of its upstream.
 *
 * A gRPC channel resolves again when a connection breaks, not when a TTL runs out: a backend taken
 * out of DNS keeps its clients until something closes the socket. Only an address that this very
 * name once returned can be stale. Absence is counted between answers, so silence of DNS adds none; and
 * up to when the app was last seen to use the address, since what the kernel showed may be minutes old.
 *
 * Source: gRFC A61 (when a channel resolves again), gRFC A9 (MAX_CONNECTION_AGE).
 */
export const dnsStale = defineDetector({
  code: "dns-stale",
  title: "Connected to an address that DNS no longer returns",
  layer: "dns",
  severity: "critical",
  remedy:
    "Give the servers a maximum connection age, so that clients reconnect and resolve again. Go: `keepalive.ServerParameters{MaxConnectionAge, MaxConnectionAgeGrace}`; Java: `maxConnectionAge`, `maxConnectionAgeGrace`; C-core and grpc-js: `grpc.max_connection_age_ms`, `grpc.max_connection_age_grace_ms`; tonic: `max_connection_age`.",
  needs: ["resolution", "peers"],
  uses: ["reach", "surroundings"],
  causes: [dnsFailing],
  lacks: "three answers in a row that hold addresses, without a mesh in between",
  holdMs: 0, // absence is the hold
  clearAfterMs: 120_000,
  limits: {
    absent: {
      unit: "ms",
      default: 60_000,
      min: 10_000,
      max: 3_600_000,
      says: "how long an address that takes new streams may be missing from DNS",
    },
    absentBlind: {
      unit: "ms",
      default: 180_000,
      min: 10_000,
      max: 3_600_000,
      says: "the same, where new streams cannot be seen",
    },
  },

  detect({ stamp, resolution, peers, reach, surroundings }, limits) {
    const { answers, answeredAt, answeredInRow } = resolution;
    if (surroundings?.mesh === true || answeredAt === undefined) return undefined;
    if (answeredInRow < ANSWERS) return undefined;

    const currentAccepts = runsTowards(reach, answers).some(
      ([, run]) => run.outcome === "connected",
    );
    const stale = peers.peers.flatMap((peer): readonly StalePeer[] => {
      const last = lastAnswerOf(peer, resolution);
      if (last === undefined) return [];
      const limitMs = limitOf(peer, resolution, limits);
      const absentMs = answeredAt - last.at;
      const usedMs = Math.min(answeredAt, peer.seenAt ?? answeredAt) - last.at;
      const isAway = currentAccepts && usedMs > 0 && last.missed >= ANSWERS_WHEN_DEAD;
      const death = isAway ? deathOf(peer, reach) : undefined;
      const isStale = isUsed(peer) && last.missed >= ANSWERS && usedMs > limitMs;
      return isStale || death !== undefined
        ? [{ ...peer, absentMs, limitMs, death, absentSinceAt: stamp(last.at) }]
        : [];
    });
    const isDead = ({ death }: StalePeer) => Number(death !== undefined);
    const worstFirst = stale.toSorted(
      (a, b) => isDead(b) - isDead(a) || b.absentMs - a.absentMs || b.connections - a.connections,
    );
    const [worst] = worstFirst;
    return worst === undefined ? [] : [symptomOf(worst, worstFirst, resolution)];
  },
});

/** Connected, and not seen to be idle. */
const isUsed = ({ connections, newStreams }: Peer) => connections > 0 && newStreams !== 0;

/** When this very name returned the peer's address last, where a stale one would mean anything. */
function lastAnswerOf({ address }: Peer, { seen }: Resolution): SeenAddress | undefined {
  return LOCAL_PROXY.has(address) ? undefined : own(seen, address);
}

/** A peer whose address has left DNS for too long, or has left it and fails. */
interface StalePeer extends Peer {
  readonly absentMs: number;
  readonly limitMs: number;
  readonly absentSinceAt: string;
  readonly death: Death | undefined;
}

function symptomOf(
  { address, absentMs, limitMs, death, seenBy, absentSinceAt }: StalePeer,
  worstFirst: readonly StalePeer[],
  { name, answers, highestTtlMs }: Resolution,
): Symptom {
  const newStreams = sumKnown(worstFirst.map((peer) => peer.newStreams));
  const witnesses: readonly Witness[] = [seenBy, ...(death?.witnesses ?? [])];
  const left = `DNS last returned ${address} ${Math.round(absentMs / 1000)} s ago`;
  return {
    subject: { name },
    severity: death === undefined ? "warning" : "critical",
    witnesses: ["dns", ...new Set(witnesses)],
    summary:
      death === undefined
        ? `${left}, yet the app still uses it`
        : `${left}, yet the app still uses it, and it fails`,
    evidence: present({
      staleAddresses: boundList(worstFirst.map((peer) => peer.address)),
      currentAddresses: boundList(answers),
      absentSeconds: absentMs / 1000,
      limitSeconds: limitMs / 1000,
      ttlSeconds: highestTtlMs / 1000,
      connections: worstFirst.reduce((sum, peer) => sum + peer.connections, 0),
      newStreams,
      absentSinceAt,
      errno: death?.errno,
    }),
  };
}

/** Twice the TTL and the limit, or, in a set that rotates, thrice its longest gap. */
function limitOf(
  { newStreams }: Peer,
  { highestTtlMs, seen }: Resolution,
  limits: { readonly absent: number; readonly absentBlind: number },
): number {
  const absent = newStreams === undefined ? limits.absentBlind : limits.absent;
  const gaps = Object.values(seen).map(({ longestGapMs }) => longestGapMs);
  return Math.max(2 * highestTtlMs, absent, GAPS * Math.max(...gaps));
}

/** What shows that an address is not only gone from DNS, but fails. */
interface Death {
  readonly witnesses: readonly Witness[];
  readonly errno?: string;
}

function deathOf({ address, failing }: Peer, reach: Reach | undefined): Death | undefined {
  const refused = runsTowards(reach, [address]).find(
    ([, run]) => run.outcome === "refused" && isConfirmedRun(run),
  );
  if (refused !== undefined) {
    const { errno } = refused[1];
    return { witnesses: ["preflight"], ...present({ errno }) };
  }
  const isLost =
    failing !== undefined &&
    (failing.by === "channelz-client" || (failing.retransmits ?? 0) >= RETRANSMITS);
  return isLost ? { witnesses: [failing.by] } : undefined;
}

function runsTowards(reach: Reach | undefined, addresses: readonly string[]) {
  return Object.entries(reach?.runs ?? {}).filter(([address]) =>
    addresses.includes(hostOf(address)),
  );
}

function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
