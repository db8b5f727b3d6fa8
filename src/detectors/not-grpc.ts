import type { Expectation } from "../model/facts/expectation.ts";
import type { Listeners } from "../model/facts/listeners.ts";
import type { Probes } from "../model/facts/probes.ts";
import { onceConfirmed, type Xray } from "../model/facts/xray.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import { isBehindMesh } from "../model/handshake.ts";
import { isCertificateRefusal, wantsCertificate } from "../model/http-certificate.ts";
import { present } from "../model/present.ts";
import type { Reason } from "../model/reason.ts";
import { patienceFor } from "../model/startup.ts";
import type { Instant } from "../model/time.ts";
import type { RpcFacts, XrayReport } from "../model/xray.ts";
import { appFrozen } from "./app-frozen.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { connectionRefused } from "./connection-refused.ts";
import { defineDetector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";
import { fdExhaustion } from "./fd-exhaustion.ts";
import { tlsAlpnMissing } from "./tls-alpn-missing.ts";
import { tlsCertExpired } from "./tls-cert-expired.ts";
import { tlsCertNotYetValid } from "./tls-cert-not-yet-valid.ts";
import { tlsClientCertRejected } from "./tls-client-cert-rejected.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";
import { tlsSanMismatch } from "./tls-san-mismatch.ts";
import { tlsUntrustedIssuer } from "./tls-untrusted-issuer.ts";

/** Answers of a proxy without a server behind it: a rollout passes through them. */
const NO_UPSTREAM: ReadonlySet<number | undefined> = new Set([502, 503, 504]);
const NO_UPSTREAM_HOLD_MS = 10_000;
/** Of what one look suspects: it lasts no longer. */
const ONE_LOOK_HOLD_MS = 600_000;
/** Judged only with credentials: without them a refusal, or being told to slow down, is our own affair. */
const REFUSED_US: ReadonlySet<number> = new Set([401, 403, 429]);
/** The answer did not end by itself: a crash or a drain, which say nothing of the protocol. */
const BROKEN_OFF: ReadonlySet<Reason | undefined> = new Set<Reason>([
  "connection_closed",
  "connection_reset",
  "deadline",
  "goaway",
]);
/** We stopped reading, before a status could come. */
const LEFT_BY_US: ReadonlySet<Reason | undefined> = new Set<Reason>([
  "malformed_reply",
  "message_too_large",
]);
/** gRPC, its encodings (`+proto`), and gRPC-Web, whose status stands in the body. */
const GRPC = "application/grpc";
const GRPC_WEB = "application/grpc-web";

type Cause =
  | "http1"
  | "other-protocol"
  | "proxy-header"
  | "mute"
  | "closed"
  | "http-status"
  | "content-type"
  | "no-grpc-status";

const SILENT: ReadonlySet<Cause> = new Set<Cause>(["mute", "closed"]);

const SENTENCES: Readonly<Record<Cause, string>> = {
  http1: "The port answers in HTTP/1",
  "other-protocol": "The port answers in another protocol",
  "proxy-header":
    "The port takes only connections with a PROXY protocol header, as a balancer sends it and the agent does not",
  mute: "The port accepts connections and says nothing",
  closed: "The port accepts connections and closes them without a byte",
  "http-status": "The port answers a gRPC call with an HTTP error",
  "content-type": "The port answers a gRPC call with something else",
  "no-grpc-status": "The port answers a gRPC call without a gRPC status",
};

/**
 * What answers on the port is no gRPC server, or not only one: HTTP/1, a web page, a proxy in between.
 *
 * Clients see "Protocol error", "invalid headers" or a message of a gigabyte, which is the word "html"
 * read as a size. The first bytes, or the HTTP answer to one call, say what it is.
 *
 * Source: "gRPC over HTTP2" (grpc/grpc doc/PROTOCOL-HTTP2.md), http-grpc-status-mapping.md.
 */
export const notGrpc = defineDetector({
  code: "not-grpc",
  title: "What answers on the port is not gRPC",
  layer: "http2",
  severity: "critical",
  remedy:
    "Point the target at the gRPC port, or make the proxy speak HTTP/2 to the server and pass trailers (nginx `grpc_pass`; ingress backend protocol GRPC; HAProxy `proto h2`). 404: route; 502–504: proxy without upstream.",
  needs: ["xray", "expectation"],
  uses: ["surroundings", "listeners", "probes"],
  causes: [
    fdExhaustion,
    dnsFailing,
    connectionRefused,
    connectBlackholed,
    appFrozen,
    tlsPlaintextMismatch,
    tlsClientCertRejected,
    tlsCertExpired,
    tlsCertNotYetValid,
    tlsSanMismatch,
    tlsUntrustedIssuer,
    tlsAlpnMissing,
  ],
  lacks:
    "the same answer twice on a connection that got beyond TCP, from a port that accepts, without a mesh in between",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {
    settingsTimeout: {
      unit: "ms",
      default: 5000,
      min: 500,
      max: 5000,
      says: "how long a server may say nothing; the agent itself waits 5 s",
    },
  },

  detect(view, { settingsTimeout }) {
    const { xray, expectation, surroundings, probes } = view;
    const { latest } = xray;
    if (isBehindMesh({ expectation, surroundings }) || !isReached(latest)) return undefined;
    const cause = pathCause({ xray, expectation, probes }) ?? soundCause(xray, settingsTimeout);
    if (cause === undefined) return [];
    if (isExcused(cause, view)) return undefined;
    const patience = patienceWith(cause, view);
    if (patience === undefined) return undefined;
    const symptom: Symptom = {
      subject: {},
      ...patience,
      witnesses: ["preflight"],
      isDeterministic: true,
      summary: `${SENTENCES[cause]}${detailOf(cause, latest)}`,
      evidence: { cause, ...evidenceOf(latest) },
    };
    if (isUntimed(cause, view))
      return [{ ...symptom, isSuspicion: true, holdMs: ONE_LOOK_HOLD_MS }];
    return onceConfirmed(xray, [symptom]);
  },
});

/**
 * With a proxy that has no server behind it: a rollout passes, and where gRPC has never been answered the
 * app may be starting, long after its proxy. A proxy of TCP then accepts, and says nothing or closes.
 * What wants a header that we do not send is not sick at all. `undefined` = not spoken of yet.
 */
function patienceWith(
  cause: Cause,
  {
    xray: { latest, same, lastPassedAt },
    expectation: { role, startupMs },
    now,
  }: { readonly xray: Xray; readonly expectation: Expectation; readonly now: Instant },
): Pick<Symptom, "severity" | "holdMs"> | undefined {
  if (cause === "proxy-header") return { severity: "info" };
  const isWithout = NO_UPSTREAM.has(latest.rpc?.httpStatus);
  if (!SILENT.has(cause) && !isWithout) return {};
  const isStarting = role === "app" && lastPassedAt === undefined;
  const patience = isStarting ? patienceFor({ waitedMs: now - same.since, startupMs }) : undefined;
  if (patience === "silent") return undefined;
  return {
    ...(isWithout && { holdMs: NO_UPSTREAM_HOLD_MS }),
    ...(patience && { severity: patience }),
  };
}

/** One look is over before its own timing can be trusted, and before a second try: it says what it saw. */
function isUntimed(
  cause: Cause,
  {
    timingTrusted,
    expectation,
  }: { readonly timingTrusted: boolean; readonly expectation: Expectation },
): boolean {
  return cause === "mute" && !timingTrusted && expectation.startupMs === 0;
}

/** Something else may have kept the server from answering. */
function isExcused(
  cause: Cause,
  seen: {
    readonly xray: Xray;
    readonly expectation: Expectation;
    readonly listeners: Listeners | undefined;
    readonly timingTrusted: boolean;
  },
): boolean {
  const isOneLook = seen.expectation.startupMs === 0;
  if (cause === "mute") return (!seen.timingTrusted && !isOneLook) || isUnaccepted(seen);
  return cause === "closed" && servesOthers(seen.listeners);
}

/**
 * Nobody has accepted the connection yet, or the kernel was not asked since: an app that does not even
 * accept says nothing in any protocol.
 */
function isUnaccepted({
  xray,
  listeners,
}: {
  readonly xray: Xray;
  readonly listeners: Listeners | undefined;
}): boolean {
  const newest = listeners?.reads.at(-1);
  return newest !== undefined && (newest.queued > 0 || newest.at < xray.same.since);
}

/** What answers the X-ray's call; nothing, where a probe passed since: the port routes by path, and knows others. */
function pathCause({
  xray,
  expectation,
  probes,
}: {
  readonly xray: Xray;
  readonly expectation: Expectation;
  readonly probes: Probes | undefined;
}): Cause | undefined {
  const passed = Object.values(probes?.probes ?? {}).map(({ lastOkAt }) => lastOkAt);
  const isRouted = passed.some((at) => at !== undefined && at >= xray.same.since);
  return isRouted ? undefined : answerCause(xray.latest, expectation);
}

/**
 * It holds connections that it has accepted, none of them ours, or held some lately: a limit of
 * connections, or a list of those whom it lets in, closes ours.
 */
function servesOthers(listeners: Listeners | undefined): boolean {
  const reads = listeners?.reads ?? [];
  return reads.some(
    ({ established, unaccepted }) => unaccepted !== undefined && established > unaccepted,
  );
}

/** The X-ray got beyond TCP, or was taken and reset before it could go on. */
function isReached({ phase, silence, sniff }: XrayReport): boolean {
  const isClosed = silence === "closed" || sniff?.found === "proxy-header";
  return phase !== "dns" && (phase !== "tcp" || isClosed);
}

/** What the HTTP answer to one call shows; nothing, where it broke off. */
function answerCause(report: XrayReport, expectation: Expectation): Cause | undefined {
  const { outcome, rpc, reason } = report;
  const isBroken = rpc?.resetCode !== undefined || BROKEN_OFF.has(reason);
  if (isBroken || rpc?.httpStatus === undefined) return undefined;
  if (rpc.httpStatus === 200) return contentCause(rpc, LEFT_BY_US.has(reason));
  // connect-go answers 404 for a service that it lacks, as health may be.
  if (outcome === "unsupported" || isCertificateRefusal(report)) return undefined;
  return hasRefusedUs(rpc, expectation) ? undefined : "http-status";
}

function hasRefusedUs({ httpStatus }: RpcFacts, { hasCredentials }: Expectation): boolean {
  return httpStatus !== undefined && REFUSED_US.has(httpStatus) && !hasCredentials;
}

function contentCause(
  { contentType, grpcStatus, decodedSize }: RpcFacts,
  isLeft: boolean,
): Cause | undefined {
  if (contentType !== undefined && !contentType.startsWith(GRPC)) return "content-type";
  const isWeb = contentType?.startsWith(GRPC_WEB) === true;
  // A size in letters is text, whoever left off.
  if (isLeft && decodedSize === undefined) return undefined;
  return grpcStatus === undefined && !isWeb ? "no-grpc-status" : undefined;
}

const HEARD: Readonly<Partial<Record<NonNullable<XrayReport["sniff"]>["found"], Cause>>> = {
  http1: "http1",
  other: "other-protocol",
  "proxy-header": "proxy-header",
};

/** What the first bytes show, or that there are none. */
function soundCause({ latest, everHttp2 }: Xray, settingsTimeout: number): Cause | undefined {
  const { sniff, silence, phaseMs } = latest;
  const heard = sniff && HEARD[sniff.found];
  if (heard !== undefined) return heard;
  if (everHttp2 || wantsCertificate(latest)) return undefined;
  const waitedMs = phaseMs.http2 ?? settingsTimeout;
  return silence === "mute" && waitedMs < settingsTimeout ? undefined : silence;
}

/** The fact that convicts, as a sentence ends with it. */
function detailOf(cause: Cause, { rpc }: XrayReport): string {
  if (cause === "http-status") return `: ${rpc?.httpStatus}`;
  return cause === "content-type" ? `: ${rpc?.contentType}` : "";
}

function evidenceOf({ rpc, sniff }: XrayReport): Evidence {
  return present({
    path: rpc?.path,
    httpStatus: rpc?.httpStatus,
    contentType: rpc?.contentType,
    serverHeader: rpc?.serverHeader,
    firstOctets: sniff?.firstOctets,
    bodyStart: rpc?.bodyStart,
    decodedSize: rpc?.decodedSize,
  });
}
