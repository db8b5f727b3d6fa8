import { type ExceededSize, exceededSize } from "../model/exceeded-size.ts";
import type { ProbeHistory, ProbeRun } from "../model/facts/probes.ts";
import { isSeenTooBriefly, neededInRow, runsInRow } from "../model/failed-runs.ts";
import type { Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { firstOfEachSubject } from "../model/subjects.ts";
import type { Instant } from "../model/time.ts";
import { defineDetector } from "./detector.ts";
import { notGrpc } from "./not-grpc.ts";

/**
 * A message is larger than its receiver takes.
 *
 * Every implementation takes 4 MiB at most where nobody said otherwise, and a list that grows reaches
 * it one day: then exactly the largest customers fail. RESOURCE_EXHAUSTED alone is a quota as well; the
 * text with the two sizes is not. Only what a probe meets is judged: no counter of a server tells sizes.
 *
 * Source: grpc/grpc doc/statuscodes.md; gRFC A6 has no retry for it.
 */
export const messageTooLarge = defineDetector({
  code: "message-too-large",
  title: "A message is larger than its receiver takes",
  layer: "grpc",
  severity: "critical",
  remedy:
    "Page or stream the data, or raise the receive limit on both sides. Go: `MaxRecvMsgSize`, `MaxCallRecvMsgSize`; Java: `maxInboundMessageSize`; C-core, grpc-js: `grpc.max_receive_message_length`; tonic: `max_decoding_message_size`.",
  lacks: "a run of the probe after one that failed so, or one that passed before",
  holdMs: 0,
  clearAfterMs: 600_000,
  expects: {
    what: "a probe of the target",
    isStated: ({ probes }) => probes.length > 0,
  },
  limits: {
    matches: {
      unit: "count",
      default: 3,
      min: 1,
      max: 20,
      says: "Runs that failed by a size within the window; as many in a row are critical",
    },
    window: {
      unit: "ms",
      default: 600_000,
      min: 60_000,
      max: 3_600_000,
      says: "How far back they are counted",
    },
  },
  needs: ["probes"],
  causes: [notGrpc],

  detect({ probes, now }, { matches, window }) {
    const symptoms = Object.values(probes.probes).flatMap((history) => {
      const inRow = runsInRow(history, isTooLarge);
      const isUnbroken = inRow.length >= neededInRow(history, matches);
      const lately = tooLargeSince(history, now - window);
      if (!isUnbroken && lately.length < matches) return [];
      return symptomOf(history.method, isUnbroken ? inRow : lately, isUnbroken);
    });
    const isUnsure = Object.values(probes.probes).some((history) =>
      isSeenTooBriefly(history, isTooLarge, neededInRow(history, matches)),
    );
    return symptoms.length === 0 && isUnsure ? undefined : firstOfEachSubject(symptoms);
  },
});

function isTooLarge(run: ProbeRun): boolean {
  return run.outcome === "failed" && exceededSize(run) !== undefined;
}

function tooLargeSince({ runs }: ProbeHistory, since: Instant): readonly ProbeRun[] {
  return runs.filter((run) => run.at >= since && isTooLarge(run));
}

function symptomOf(
  method: string,
  failed: readonly ProbeRun[],
  isUnbroken: boolean,
): readonly Symptom[] {
  const [first, last] = [failed[0], failed.at(-1)];
  const size = last && exceededSize(last);
  if (first === undefined || last === undefined || size === undefined) return [];
  const { status, statusText, traceId, spanId } = last;
  // What only our own client refuses, clients with another limit may take.
  const isServers = size.direction === "request";
  return [
    {
      subject: { method },
      severity: isUnbroken && isServers ? "critical" : "warning",
      witnesses: ["probe"],
      isDeterministic: true,
      summary: summaryOf(method, size),
      evidence: present({ ...size, matches: failed.length, status, statusText }),
      beganAt: first.at,
      traceId,
      spanId,
    },
  ];
}

function summaryOf(method: string, { messageBytes, limitBytes, direction }: ExceededSize): string {
  const sizes = `has ${messageBytes} bytes, and`;
  return direction === "request"
    ? `The request of ${method} ${sizes} the server takes ${limitBytes}`
    : `A response of ${method} ${sizes} a client takes ${limitBytes} where nobody raised it`;
}
