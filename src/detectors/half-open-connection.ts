import type { Facts } from "../model/facts/index.ts";
import type { Severity, Symptom } from "../model/finding.ts";
import { connectedMeanwhile, type RowsAt, runOfRows } from "../model/outbound-runs.ts";
import { ownName, remoteName } from "../model/remote-name.ts";
import type { RemoteRows } from "../model/socket-rows.ts";
import { boundSubjects } from "../model/subjects.ts";
import { hostPort } from "../model/target.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { defineDetector } from "./detector.ts";

/** Reads that lie closer are one: three repetitions are made within 2 s. */
const READS_SPAN_MS = 10_000;

type Seen = Pick<Facts, "expectation" | "outbound"> & {
  readonly reach: Facts["reach"] | undefined;
};

/**
 * A connection of the app that is open here and gone there: what is sent is never acknowledged.
 *
 * A middlebox forgot it, or the peer died without a word. Linux repeats for about 15 min before it gives
 * up, and calls run into their deadlines as long; a new connection would work at once.
 *
 * Source: RFC 9293 section 3.8.1 and RFC 6298 section 5.5 (retransmission with doubled timeouts); RFC 5482.
 */
export const halfOpenConnection = defineDetector({
  code: "half-open-connection",
  title: "A connection of the app sends and is never answered",
  layer: "tcp",
  severity: "critical",
  remedy:
    "Turn on client keepalive below the middlebox's idle timeout. Go: `keepalive.ClientParameters{Time, Timeout}` (also sets TCP_USER_TIMEOUT); Java: `keepAliveTime`, `keepAliveTimeout`; C-core, grpc-js: `grpc.keepalive_time_ms`, `grpc.keepalive_timeout_ms`; tonic: `http2_keep_alive_interval`. Stay above the server's minimum (`too-many-pings`).",
  needs: ["expectation", "outbound"],
  uses: ["reach", "surroundings"],
  causes: [connectBlackholed],
  lacks:
    "connections of the app's own, without a mesh in between, and ten seconds of one that sends in vain",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {
    reads: {
      unit: "count",
      default: 3,
      min: 2,
      max: 12,
      says: "Reads of the socket table in a row that show it",
    },
    retransmits: {
      unit: "count",
      default: 3,
      min: 2,
      max: 12,
      says: "Repetitions of the oldest unacknowledged byte in each of these reads",
    },
  },

  detect({ expectation, outbound, reach, surroundings }, limits) {
    if (surroundings?.mesh === true) return undefined;
    const seen = { expectation, outbound, reach };
    const runs = (outbound.reads.at(-1)?.remotes ?? []).map((rows) =>
      runOfRows(
        outbound.reads,
        rows,
        ({ maxRetransmits, sendQueueBytes }) =>
          maxRetransmits >= limits.retransmits && sendQueueBytes > 0,
      ),
    );
    const symptoms = runs.flatMap((run) =>
      isStuck(run, limits.reads) ? [symptomOf(seen, run)] : [],
    );
    // So it was at the first look already: nobody knows for how long.
    const isUnsure = runs.some(
      (run) => run.length === outbound.reads.length && !isLasting(run, limits.reads),
    );
    if (symptoms.length === 0 && isUnsure) return undefined;
    const worstFirst = symptoms.toSorted(
      (a, b) => Number(b.evidence["stuckSeconds"]) - Number(a.evidence["stuckSeconds"]),
    );
    return boundSubjects(worstFirst);
  },
});

type Run = readonly [RowsAt, ...RowsAt[]];

/**
 * Long enough, and nothing got through: new connects to the same place get answers, or none is tried,
 * as where they get none the place is silent altogether.
 */
function isStuck(run: readonly RowsAt[], reads: number): run is Run {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined || !isLasting(run, reads)) return false;
  const isSilentAltogether = last.synSent > 0 && !connectedMeanwhile(first, last);
  return !isSilentAltogether && last.sendQueueBytes >= first.sendQueueBytes;
}

function isLasting(run: readonly RowsAt[], reads: number): boolean {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined || run.length < reads) return false;
  return last.at - first.at >= READS_SPAN_MS;
}

function symptomOf({ expectation, outbound, reach }: Seen, run: Run): Symptom {
  const [first] = run;
  const last = run.at(-1) ?? first;
  const service = hostPort(last.address, last.port);
  const { upstream, isKnown } = remoteName(service, {
    ...ownName(expectation),
    knownAs: outbound.knownAs,
  });
  const own = reach?.runs[service];
  const oursWorks = own?.outcome === "connected" && own.lastAt >= first.at;
  const newWorks = oursWorks || connectedMeanwhile(first, last);
  const stuckMs = last.at - first.at;
  const known: Severity = oursWorks ? "critical" : "warning";
  return {
    subject: { remote: upstream },
    severity: isKnown ? known : "info",
    witnesses: oursWorks ? ["kernel", "preflight"] : ["kernel"],
    summary: `${countText(last)} to ${upstream} got no acknowledgement for ${Math.round(stuckMs / 1000)} s, with ${last.maxRetransmits} repetitions${newWorks ? ", though a new connection works" : ""}`,
    evidence: {
      rows: last.retransmitting,
      retransmits: last.maxRetransmits,
      queuedBytes: last.sendQueueBytes,
      stuckSeconds: stuckMs / 1000,
      newConnectionWorks: newWorks,
    },
    beganAt: first.at,
  };
}

function countText({ retransmitting }: RemoteRows): string {
  return retransmitting === 1
    ? "A connection of the app"
    : `${retransmitting} connections of the app`;
}
