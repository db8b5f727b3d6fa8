import { durationText } from "../model/duration-text.ts";
import { type Kept, type KeptEnd, youngEnds } from "../model/facts/kept.ts";
import type { Xray } from "../model/facts/xray.ts";
import type { Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import type { Instant } from "../model/time.ts";
import type { GoawayFacts } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { WIRE } from "./root-causes.ts";

/** Longer than we wait before we open the next one; after that nothing is known of now. */
const RECENT_MS = 180_000;
/**
 * Without a call for so long, an idle timeout may have ended it; with a stream open few are so short. Polls come
 * each 2.5 s, so of the ends that have another reason some come sooner. Timers fire at whole seconds, or a bit off.
 */
const IDLE_MS = { watched: 5_000, unwatched: 1_500 } as const;
/** A maximum age of less, nobody sets. */
const LEAST_AGE_MS = 5_000;
/** Ages are spread by ±10 % (gRFC A9), and timers are late: the oldest is at most so much older than the youngest. */
const AGE_SPREAD = 1.15 / 0.85;
/** Debug texts of gRFC A9: the connection is old. Connections are given an age on purpose. */
const OF_AGE = /max[_ ]?(?:connection[_ ]?)?age/i;
const OF_IDLENESS = /max[_ ]?(?:connection[_ ]?)?idle/i;
const OF_PINGS = /too_many_pings/i;
/** Of what else can be read from their names. Source: RFC 9113 section 7. */
const CODE_WORDS: Readonly<Record<number, string>> = {
  0: "NO_ERROR",
  1: "PROTOCOL_ERROR",
  2: "INTERNAL_ERROR",
  11: "ENHANCE_YOUR_CALM",
};

/** What is told of ends in a row, by whichever connection saw them. */
interface Churn {
  readonly witness: "connection" | "preflight";
  readonly count: number;
  readonly from: Instant;
  readonly to: Instant;
  readonly endedBy: KeptEnd["by"];
  readonly goaway?: Pick<GoawayFacts, "code" | "debugText">;
  readonly medianLifeMs?: number;
  /** Each was told politely, without a reason, and at the same age. */
  readonly isOfOneAge?: boolean;
}

/**
 * The server, or a hop before it, ends one connection after the other while it is young and in use.
 *
 * Each end costs a handshake, and the calls in flight unless it is a graceful one. It is judged by the
 * agent's own connection, a client like any other: of the connections of others only the one who ended
 * them could say whether they were ended or just done. A GOAWAY without error would read as the begin of a
 * stop, each time anew.
 *
 * Source: RFC 9113 section 6.8 (GOAWAY); gRFC A9 (max_age, max_idle), gRFC A8 (too_many_pings).
 */
export const connectionChurn = defineDetector({
  code: "connection-churn",
  title: "Connections are ended again and again while they are young",
  layer: "http2",
  severity: "warning",
  remedy:
    "Find who ends the connections: the server, or a proxy between. Raise its maximum connection age, its limit of requests per connection or its patience with pings, and read its log for the close.",
  holdMs: 0,
  clearAfterMs: 300_000,
  lacks:
    "a connection of the agent that becomes a minute old, or several that end over some minutes, each just after a call: an idle timeout looks alike",
  limits: {
    ends: {
      unit: "count",
      default: 5,
      min: 3,
      max: 12,
      says: "Connections of the agent in a row that were ended",
    },
    life: {
      unit: "ms",
      default: 60_000,
      min: 1_000,
      max: 600_000,
      says: "How old each of them was at most",
    },
    lasting: {
      unit: "ms",
      default: 300_000,
      min: 60_000,
      max: 600_000,
      says: "How far apart the first end and the last of them must lie",
    },
  },
  needs: [],
  uses: ["kept", "xray", "health"],
  needsAny: ["kept", "xray"],
  causes: WIRE,

  detect({ now, kept, xray, health }, limits) {
    const young = recentEnds(kept, limits.life, now);
    const isWatched = Object.values(health?.services ?? {}).some(({ via }) => via === "watch");
    // An idle timeout ends none that is in use: what looks like one between them is the same as they.
    const cuts = young.filter((end) => !isIdle(end, isWatched));
    const churns = [churnOfEnds(cuts), churnOfLooks(xray)].filter((churn) => churn !== undefined);
    const found = churns.find(
      ({ count, from, to }) =>
        count >= limits.ends && to - from >= limits.lasting && now - to <= RECENT_MS,
    );
    if (found !== undefined) return [symptomOf(found)];
    if (young.length >= limits.ends || xray?.latest.reason === "goaway") return undefined;
    const isWell =
      livedLong(kept, young, now - limits.life) ||
      (young.length === 0 && stayedWell(xray, limits.lasting));
    return isWell ? [] : undefined;
  },
});

/** Of fewer young ends than it takes: a connection before them became old, or this one, or the ends are over. */
function livedLong(kept: Kept | undefined, young: readonly KeptEnd[], bornBy: Instant): boolean {
  if (kept === undefined) return false;
  const { state, since, ends } = kept;
  return ends.length > young.length || (state === "open" && since <= bornBy);
}

/** Fresh connections that got no GOAWAY, for as long as it takes to tell that they do. */
function stayedWell(xray: Xray | undefined, lastingMs: number): boolean {
  return xray !== undefined && xray.same.lastAt - xray.same.since >= lastingMs;
}

function recentEnds(kept: Kept | undefined, lifeMs: number, now: Instant): readonly KeptEnd[] {
  if (kept === undefined) return [];
  const ends = youngEnds(kept, lifeMs, now);
  const last = ends.at(-1);
  return last !== undefined && now - last.at <= RECENT_MS ? ends : [];
}

/** A peer that closes for idleness says so, or says nothing bad; one that resets has no such reason. */
function isIdle({ by, idleMs, goaway }: KeptEnd, isWatched: boolean): boolean {
  if (goaway !== undefined && OF_IDLENESS.test(goaway.debugText)) return true;
  if (goaway !== undefined && OF_AGE.test(goaway.debugText)) return false;
  const isPolite = by === "fin" || goaway?.code === 0;
  return isPolite && idleMs >= (isWatched ? IDLE_MS.watched : IDLE_MS.unwatched);
}

function churnOfEnds(cuts: readonly KeptEnd[]): Churn | undefined {
  const [first, last] = [cuts[0], cuts.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const lives = cuts.map(({ lifeMs }) => lifeMs).toSorted((a, b) => a - b);
  const { by, goaway } = last;
  return {
    witness: "connection",
    count: cuts.length,
    from: first.at,
    to: last.at,
    endedBy: by,
    isOfOneAge: cuts.every(isWordless) && isOneAge(lives),
    ...present({ goaway, medianLifeMs: lives[Math.floor(lives.length / 2)] }),
  };
}

/** As tonic, Envoy and older grpc-go say that a connection is old. */
function isWordless({ goaway }: KeptEnd): boolean {
  return goaway?.code === 0 && goaway.debugText === "";
}

function isOneAge(sorted: readonly number[]): boolean {
  const [youngest = 0, oldest = 0] = [sorted[0], sorted.at(-1)];
  return youngest >= LEAST_AGE_MS && oldest <= AGE_SPREAD * youngest;
}

/** Fresh connections of the X-ray that got a GOAWAY instead of an answer; none may stay open long enough to be kept. */
function churnOfLooks(xray: Xray | undefined): Churn | undefined {
  if (xray?.latest.reason !== "goaway") return undefined;
  const { count, since, lastAt } = xray.same;
  const { goaway } = xray.latest;
  return {
    witness: "preflight",
    count,
    from: since,
    to: lastAt,
    endedBy: "goaway",
    ...present({ goaway }),
  };
}

function symptomOf(churn: Churn): Symptom {
  const { witness, count, from, to, endedBy, goaway, medianLifeMs } = churn;
  const cause = causeOf(churn);
  const age = medianLifeMs === undefined ? "" : ` at an age of ${durationText(medianLifeMs)}`;
  return {
    subject: {},
    // Configured like that, and each client is told in time: worth knowing, no fault.
    severity: cause === "max-age" || cause === "likely-max-age" ? "info" : "warning",
    witnesses: [witness],
    summary: `${count} connections of the agent were ended${age} within ${durationText(to - from)}, ${endText(endedBy, goaway)}${cause === "likely-max-age" ? ", which looks like a configured maximum age" : ""}`,
    evidence: present({
      cuts: count,
      cause,
      endedBy,
      windowSeconds: (to - from) / 1000,
      medianLifeSeconds: medianLifeMs === undefined ? undefined : medianLifeMs / 1000,
      goawayCode: goaway?.code,
      debugText: goaway?.debugText === "" ? undefined : goaway?.debugText,
    }),
    beganAt: from,
  };
}

function causeOf({
  goaway,
  isOfOneAge = false,
}: Churn): "max-age" | "likely-max-age" | "keepalive" | "unknown" {
  if (goaway === undefined) return "unknown";
  if (goaway.code === 0 && OF_AGE.test(goaway.debugText)) return "max-age";
  if (isOfOneAge) return "likely-max-age";
  return OF_PINGS.test(goaway.debugText) ? "keepalive" : "unknown";
}

function endText(by: KeptEnd["by"], goaway: Churn["goaway"]): string {
  if (goaway !== undefined) {
    const text = goaway.debugText === "" ? "" : ` (${goaway.debugText})`;
    return `the last by GOAWAY ${CODE_WORDS[goaway.code] ?? goaway.code}${text}`;
  }
  return by === "rst" ? "the last by RST" : "the last by FIN without GOAWAY";
}
