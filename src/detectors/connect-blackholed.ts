import type { Facts } from "../model/facts/index.ts";
import type { Outbound } from "../model/facts/outbound.ts";
import { isConfirmedRun } from "../model/facts/reach.ts";
import type { Severity, Symptom } from "../model/finding.ts";
import { isBehindMesh } from "../model/handshake.ts";
import { connectedMeanwhile, type RowsAt, runOfRows } from "../model/outbound-runs.ts";
import { own as entry } from "../model/own.ts";
import { present } from "../model/present.ts";
import type { RemoteRows } from "../model/socket-rows.ts";
import { someSilent } from "../model/some-silent.ts";
import type { Witness } from "../model/source-name.ts";
import { boundList, boundSubjects } from "../model/subjects.ts";
import { hostOf, hostPort } from "../model/target.ts";
import type { DialAttempt } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";
import { dnsStale } from "./dns-stale.ts";

/** Two reads of the socket table that lie closer are one. */
const READS_SPAN_MS = 5000;
/** Own connects without answer within less time may be one failover. */
const ATTEMPTS_SPAN_MS = 20_000;
/** For one look, which grants no time at all. */
const ONE_LOOK_SPAN_MS = 6_000;

/** One address that does not answer. */
interface Silent {
  readonly remote: string;
  readonly severity: Severity;
  /** Without port. */
  readonly address: string;
  readonly port?: number;
  readonly seenBy: Witness;
  readonly silentMs: number;
  readonly rows?: number;
  readonly retransmits?: number;
  readonly attempts?: number;
  readonly errno?: string;
}

type Seen = Pick<Facts, "expectation"> & {
  readonly [K in "outbound" | "reach" | "xray" | "resolution" | "surroundings" | "listeners"]:
    | Facts[K]
    | undefined;
};

type Bounds = Readonly<Record<"reads" | "retransmits" | "attempts" | "timeout", number>>;

/**
 * Connects get no answer at all: neither an acceptance nor a reset.
 *
 * A firewall or NetworkPolicy that drops looks like this, and so does a host that is gone. Clients say
 * "deadline exceeded" and "waiting for connection"; grpc-js has no timer and waits for the kernel, two
 * minutes. The kernel's own rows tell it at once: SYN_SENT with retransmissions.
 *
 * Source: RFC 9293 section 3.8.1 and RFC 6298 section 5.7 (SYN retransmission after 1 s, then doubled).
 */
export const connectBlackholed = defineDetector({
  code: "connect-blackholed",
  title: "Connects to the target get no answer",
  layer: "tcp",
  severity: "critical",
  remedy:
    "Open the port in the NetworkPolicy or firewall on the way (egress here, ingress there). grpc-js waits about 127 s (no timer).",
  needs: ["expectation"],
  uses: ["outbound", "reach", "xray", "resolution", "surroundings", "listeners"],
  needsAny: ["outbound", "reach"],
  causes: [dnsFailing, dnsStale],
  lacks: "a target that is dialled directly, and timing of the agent's own that can be trusted",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {
    reads: {
      unit: "count",
      default: 2,
      min: 2,
      max: 12,
      says: "reads of the socket table in a row that show the app waiting",
    },
    retransmits: {
      unit: "count",
      default: 2,
      min: 1,
      max: 6,
      says: "repetitions of the app's SYN; 2 are 3 s of silence",
    },
    attempts: {
      unit: "count",
      default: 3,
      min: 2,
      max: 40,
      says: "connects of the agent in a row without answer",
    },
    timeout: {
      unit: "ms",
      default: 3000,
      min: 100,
      max: 3000,
      says: "a connect that takes longer counts as unanswered; the agent itself waits 3 s",
    },
  },

  detect({ timingTrusted, ...seen }, limits) {
    if (isBehindMesh(seen)) return undefined;
    const waiting = seen.surroundings?.mesh === true ? [] : waitingRows(seen, limits);
    const facts = [...waiting, ...withoutRoute(seen)];
    const silent = timingTrusted ? [...facts, ...unanswered(seen, limits)] : facts;
    if (silent.length === 0) return timingTrusted ? [] : undefined;
    const worstFirst = silent.toSorted((a, b) => b.silentMs - a.silentMs);
    const isFirst = ({ remote }: Silent, index: number) =>
      worstFirst.findIndex((one) => one.remote === remote) === index;
    const symptoms = worstFirst.filter(isFirst).map((worst) => {
      const rest = worstFirst.filter((one) => one !== worst && one.remote === worst.remote);
      return symptomOf([worst, ...rest], seen);
    });
    return boundSubjects(symptoms);
  },
});

/** Rows of the app that repeat their SYN to one remote, while no other connect gets there. */
function waitingRows(seen: Seen, limits: Bounds): readonly Silent[] {
  const reads = seen.outbound?.reads ?? [];
  const last = reads.at(-1);
  if (last === undefined) return [];
  return last.remotes.flatMap((rows) => {
    const run = runOfRows(reads, rows, ({ synSent }) => synSent > 0);
    const [first] = run;
    if (first === undefined || run.length < limits.reads) return [];
    const isLasting = last.at - first.at >= READS_SPAN_MS;
    if (!isLasting || rows.synRetransmits < limits.retransmits) return [];
    if (connectsMeanwhile(seen, first, rows) || hasLeftDns(seen, rows.address)) return [];
    return [
      {
        ...nameOf(seen, rows),
        address: rows.address,
        port: rows.port,
        seenBy: "kernel",
        silentMs: last.at - first.at,
        rows: rows.synSent,
        retransmits: rows.synRetransmits,
      },
    ];
  });
}

/** Others get there: the peer's accept queue is full, or a packet was lost. */
function connectsMeanwhile({ reach }: Seen, first: RowsAt, now: RemoteRows): boolean {
  const own = reach?.runs[hostPort(now.address, now.port)];
  const oursDo = own?.outcome === "connected" && own.lastAt >= first.at;
  return oursDo || connectedMeanwhile(first, now);
}

/** An address that the name had and has no more belongs to `dns-stale`. */
function hasLeftDns({ resolution }: Seen, address: string): boolean {
  return resolution?.seen[address] !== undefined && !resolution.answers.includes(address);
}

/** What the app calls it, and how much it matters: a kernel-only remote may be a database. */
function nameOf(
  { expectation, outbound }: Seen,
  { address, port }: RemoteRows,
): Pick<Silent, "remote" | "severity"> {
  if (expectation.role === "upstream") return { remote: expectation.address, severity: "critical" };
  const service = hostPort(address, port);
  const channel = outbound && entry(outbound.knownAs, service);
  return channel === undefined
    ? { remote: service, severity: "info" }
    : { remote: channel, severity: "warning" };
}

/** Own connects that the network refuses for want of a way: a fact, twice seen. */
function withoutRoute(seen: Seen): readonly Silent[] {
  return failingDials(seen).flatMap((dial) => {
    const run = seen.reach?.runs[dial.address];
    if (dial.outcome !== "no-route" || run === undefined || !isConfirmedRun(run)) return [];
    const { errno, count, lastAt, since } = run;
    return [
      {
        ...ownName(seen, dial),
        attempts: count,
        silentMs: lastAt - since,
        ...present({ errno }),
      },
    ];
  });
}

/** Own connects in a row that nobody answered in time. */
function unanswered(seen: Seen, limits: Bounds): readonly Silent[] {
  // What listens in this very pod is behind no network: its accept queue is full.
  if ((seen.listeners?.rows.length ?? 0) > 0) return [];
  const isUnanswered = ({ outcome, connectMs }: DialAttempt) =>
    outcome === "timeout" || (connectMs ?? 0) > limits.timeout;
  return failingDials(seen).flatMap((dial) => {
    const all = seen.reach?.attempts.filter(({ address }) => address === dial.address) ?? [];
    const run = all.slice(all.findLastIndex((attempt) => !isUnanswered(attempt)) + 1);
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined || run.length < limits.attempts) return [];
    const silentMs = last.at - first.at;
    const isOneLook = seen.expectation.startupMs === 0;
    if (silentMs < (isOneLook ? ONE_LOOK_SPAN_MS : ATTEMPTS_SPAN_MS)) return [];
    return [{ ...ownName(seen, dial), attempts: run.length, silentMs }];
  });
}

function ownName({ expectation }: Seen, { address }: DialAttempt) {
  return {
    remote: expectation.address,
    severity: "critical",
    address: hostOf(address),
    ...present({ port: expectation.port }),
    seenBy: "preflight",
  } as const;
}

/**
 * The dials of the newest X-ray, without those of a family that this pod cannot use (loopback, no
 * route at all beside another family) or that alone fails: `address-family-mismatch` says so.
 */
function failingDials({ xray }: Seen): readonly DialAttempt[] {
  const dials = xray?.latest.dials ?? [];
  const isOther = (a: DialAttempt) => (b: DialAttempt) => a.family !== b.family;
  return dials.filter((dial) => {
    const others = dials.filter(isOther(dial));
    const works = ({ outcome }: DialAttempt) => outcome === "connected";
    const sameWorks = dials.some((same) => same.family === dial.family && works(same));
    if (others.some(works) && !sameWorks) return false;
    return dial.errno !== "ENETUNREACH" || others.length === 0;
  });
}

const CAUSES = {
  "no-route": "there is no way to it",
  "port-filtered": "other ports of it answer, so this one is filtered",
  "host-silent": "nothing of it answers",
} as const;

function symptomOf(silent: readonly [Silent, ...Silent[]], seen: Seen): Symptom {
  const [{ remote, severity, port }] = silent;
  const { outbound } = seen;
  const errno = silent.find((one) => one.errno !== undefined)?.errno;
  const others = openRows(silent, outbound);
  const samePort = others.filter((row) => row.port === port);
  const answeringPorts = others
    .filter((row) => !samePort.includes(row))
    .map((row) => row.port)
    .toSorted((a, b) => a - b);
  const unrouted = answeringPorts.length > 0 ? "port-filtered" : "host-silent";
  const cause = errno === undefined ? unrouted : "no-route";
  const silentMs = Math.max(...silent.map((one) => one.silentMs));
  const [first, ...more] = new Set(silent.map(({ seenBy }) => seenBy));
  const { who = `${remote} has`, addresses, ...some } = someSilent(silent, seen);
  return {
    subject: { remote },
    severity,
    ...some,
    witnesses: [first ?? "preflight", ...more],
    isDeterministic: true,
    summary: `${who} left connects without an answer for ${Math.round(silentMs / 1000)} s: ${CAUSES[cause]}`,
    evidence: present({
      cause,
      errno,
      rows: greatest(silent.map(({ rows }) => rows)),
      retransmits: greatest(silent.map(({ retransmits }) => retransmits)),
      attempts: greatest(silent.map(({ attempts }) => attempts)),
      silentSeconds: silentMs / 1000,
      ...addresses,
      answeringPorts: answeringPorts.length === 0 ? undefined : boundList(answeringPorts),
      otherConnections: outbound && samePort.reduce((sum, row) => sum + row.established, 0),
    }),
  };
}

/** Rows of the same addresses that are connected. */
function openRows(
  silent: readonly Silent[],
  outbound: Outbound | undefined,
): readonly RemoteRows[] {
  const rows = outbound?.reads.at(-1)?.remotes ?? [];
  return rows.filter(
    (row) => row.established > 0 && silent.some(({ address }) => address === row.address),
  );
}

/** The greatest of a count over the addresses of one remote; undefined where none is known. */
function greatest(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
