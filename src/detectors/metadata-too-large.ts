import type { Facts } from "../model/facts/index.ts";
import type { ProbeHistory, ProbeRun } from "../model/facts/probes.ts";
import { isSeenTooBriefly, neededInRow, runsInRow, timesText } from "../model/failed-runs.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { boundSubjects } from "../model/subjects.ts";
import { defineDetector } from "./detector.ts";
import { WIRE } from "./root-causes.ts";

/**
 * How clients say that a server, or a hop before it, refused the headers of a call for their size.
 * Sources: C-core chttp2 hpack_parser, grpc-go http2_client.go, grpc-java over netty, RFC 6585 (431).
 */
const TEXTS =
  /metadata size exceeds|header list size to send violates|header size exceeded|header list (?:is )?too large|HTTP status code:? 431/i;
/** grpc-js of a stream that was reset: by Node with ENHANCE_YOUR_CALM, by grpc-go with FRAME_SIZE_ERROR. */
const RESET = /^Bandwidth exhausted or memory limit exceeded|^Received RST_STREAM with code 6\b/;
/** No implementation takes less where nobody said otherwise. */
const LOWEST_DEFAULT = 8192;

/**
 * The metadata that a probe sends, as the clients do, is more than the server takes, or soon will be.
 *
 * Tokens and baggage grow with every claim and hop; at 8 KiB (grpc-java) or 16 KiB (C-core, tonic) the
 * calls of those who have the longest ones fail, in words that name no size. The server announces what it
 * takes in SETTINGS; Go announces nothing where nobody set a limit, and takes what comes.
 *
 * Source: RFC 9113 section 6.5.2 (SETTINGS_MAX_HEADER_LIST_SIZE is advisory).
 */
export const metadataTooLarge = defineDetector({
  code: "metadata-too-large",
  title: "The metadata is more than the server takes",
  layer: "http2",
  severity: "critical",
  remedy:
    "Shrink the metadata (tokens, baggage), or raise the limit. Go: `MaxHeaderListSize`; Java: `maxInboundMetadataSize`; C-core: `grpc.max_metadata_size`; grpc-js: no option (Node's 64 KiB); tonic: `http2_max_header_list_size`.",
  lacks: "a run of the probe after one that failed so, or one that passed before",
  holdMs: 0,
  clearAfterMs: 120_000,
  expects: {
    what: "`metadata` of the target or of a probe",
    isStated: ({ probes }) => probes.some(({ hasCredentials }) => hasCredentials),
  },
  limits: {
    failures: {
      unit: "count",
      default: 2,
      min: 1,
      max: 20,
      says: "Refusals in a row (1 of a probe that runs every 5 min or less often)",
    },
    high: {
      unit: "ratio",
      default: 0.75,
      min: 0.1,
      max: 1,
      says: "Share of what the server announces above which metadata is near its limit",
    },
  },
  needs: ["probes"],
  uses: ["xray"],
  causes: [...WIRE],

  detect({ probes, xray }, { failures, high }) {
    const limitBytes = limitOf(xray);
    const isRefusedRun = (run: ProbeRun) => isRefused(run, (limitBytes ?? LOWEST_DEFAULT) * high);
    const symptoms = Object.entries(probes.probes).flatMap(([probe, history]) => {
      const refused = runsInRow(history, isRefusedRun);
      const isFailing = refused.length >= neededInRow(history, failures);
      const last = history.runs.at(-1);
      const isNear = last !== undefined && isAbove(last, limitBytes, high);
      if (isFailing) return symptomOf({ probe, history, limitBytes, refused });
      return isNear ? symptomOf({ probe, history, limitBytes, refused: [] }) : [];
    });
    const isUnsure = Object.values(probes.probes).some((history) =>
      isSeenTooBriefly(history, isRefusedRun, neededInRow(history, failures)),
    );
    return symptoms.length === 0 && isUnsure ? undefined : boundSubjects(symptoms);
  },
});

function limitOf(xray: Facts["xray"] | undefined): number | undefined {
  return xray?.lastSettings?.maxHeaderListSize;
}

/** By the words alone, or by a reset that the size explains. */
function isRefused(
  { outcome, statusText = "", metadata }: ProbeRun,
  suspectBytes: number,
): boolean {
  if (outcome !== "failed") return false;
  if (TEXTS.test(statusText)) return true;
  return RESET.test(statusText) && metadata !== undefined && metadata.bytes > suspectBytes;
}

function isAbove({ metadata }: ProbeRun, limitBytes: number | undefined, high: number): boolean {
  return metadata !== undefined && limitBytes !== undefined && metadata.bytes > high * limitBytes;
}

function symptomOf({
  probe,
  history,
  limitBytes,
  refused,
}: {
  readonly probe: string;
  readonly history: ProbeHistory;
  readonly limitBytes: number | undefined;
  readonly refused: readonly ProbeRun[];
}): readonly Symptom[] {
  const last = refused.at(-1) ?? history.runs.at(-1);
  if (last === undefined) return [];
  const { statusText, traceId, spanId } = last;
  const isFailing = refused.length > 0;
  const failure = isFailing ? { failures: refused.length, statusText } : {};
  return [
    {
      subject: { probe },
      severity: isFailing ? "critical" : "warning",
      witnesses: limitBytes === undefined ? ["probe"] : ["probe", "preflight"],
      isDeterministic: true,
      summary: summaryOf(probe, {
        last,
        limitBytes,
        refused: isFailing && timesText(history, refused),
      }),
      evidence: present({ ...sizesOf(last), limitBytes, ...failure }),
      ...present({ beganAt: refused[0]?.at }),
      traceId,
      spanId,
    },
  ];
}

function sizesOf({ metadata }: ProbeRun): Evidence {
  if (metadata === undefined) return {};
  const { bytes, largestKey, largestValueBytes } = metadata;
  return { metadataBytes: bytes, largestKey, largestValueBytes };
}

function summaryOf(
  probe: string,
  seen: {
    readonly last: ProbeRun;
    readonly limitBytes: number | undefined;
    readonly refused: string | false;
  },
): string {
  const { last, limitBytes, refused } = seen;
  const size = last.metadata === undefined ? "" : ` of ${last.metadata.bytes} bytes`;
  const limit = limitBytes === undefined ? "" : `; the server announces ${limitBytes}`;
  const isAboveIt = (last.metadata?.bytes ?? 0) > (limitBytes ?? Number.POSITIVE_INFINITY);
  const standing = isAboveIt ? "is above the limit" : "is near the limit";
  const verdict = refused === false ? standing : `was refused ${refused}`;
  return `The metadata${size} of probe ${probe} ${verdict}${limit}`;
}
