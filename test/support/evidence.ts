import type { Evidence } from "../../src/model/finding.ts";
import type { Json } from "../../src/model/json.ts";

/**
 * The keys of evidence, by type: interface, as users' alerts and dashboards read them. A key has one
 * type in all codes, and a new one is written down here first.
 */
const WORDS = {
  string:
    "actual answer appError assertion authority bodyStart cause certSubject clientFingerprint clientIssuer connectedTo connection contentType counted debugText decodedSize dependency direction encoding endedBy errno errorText expected fileFingerprint fingerprint firstFault firstOctets flavour found implementation issuer job largestKey lastError layer method nearest path phase podAddress position preferred preflightReason probe reason runningOn selected serverHeader slowPhase state status statusText tlsVersion use verifyError via where unanswered",
  number:
    "alert amplification attempts baselineInFlight bundleCertificates calls callsPerMinute callsWaiting cancelled channels checkedTypes closedAtOnce connections crashes cuts drops failed failures faults finishedPerMinute fullConnections goawayCode growth httpStatus inFlight jobsSkipped keepalivesSent live loopbackClients matches maxConcurrentStreams maxFds meanAgeCv messagesSent missed newPerMinute newStreams omitted openFds openStreams otherConnections overflows perMinute ports queued rSquared refused rejected resetCode retransmits rows runs sentCertificates slopePerMinute startedPerMinute streamsPerConnection subchannels timeWait transitions tries unaccepted unimplemented",
  boolean:
    "everListened everServing knownAsGrpc connectionAnswers named newConnectionWorks otherClientPasses othersSucceed snapshotSaved speaksHttp2 staticStatus unhandledException",
  "string[]":
    "accepted acceptedVersions acceptingAddresses addresses codes currentAddresses dialled differences known lastAnswer listening methods missing offered otherServices peers refusedAddresses sans secondSource silentAddresses staleAddresses timeline triedNames",
  "number[]": "answeringPorts",
} as const;

const BY_ENDING: readonly (readonly [ending: RegExp, type: string])[] = [
  [/(?:Ms|Seconds|Bytes|Ratio)$|^ratio$/, "number"],
  [/At$/, "string"],
];

const TYPES = new Map<string, string>(
  Object.entries(WORDS).flatMap(([type, words]) => words.split(" ").map((word) => [word, type])),
);

/** What is wrong with the keys and values of some evidence; empty = nothing. */
export function evidenceFaults(evidence: Evidence): readonly string[] {
  return Object.entries(evidence).flatMap(([key, value]) => {
    const type = typeOfKey(key);
    if (type === undefined) return [`${key} is no known key of evidence`];
    const isEmptyList = Array.isArray(value) && value.length === 0 && type.endsWith("[]");
    const actual = typeOfValue(value);
    return actual === type || isEmptyList ? [] : [`${key} is ${actual}, not ${type}`];
  });
}

function typeOfKey(key: string): string | undefined {
  return TYPES.get(key) ?? BY_ENDING.find(([ending]) => ending.test(key))?.[1];
}

function typeOfValue(value: Json): string {
  if (Array.isArray(value)) {
    const types = new Set(value.map((item: Json) => typeof item));
    return `${[...types].join("|")}[]`;
  }
  return typeof value === "number" && !Number.isFinite(value) ? "not finite" : typeof value;
}
