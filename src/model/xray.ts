import type { Phase } from "./phase.ts";
import type { Reason } from "./reason.ts";
import type { Instant } from "./time.ts";

/** One TCP connect to one address: one attempt, no retry. */
export interface DialAttempt {
  readonly at: Instant;
  /** `ip:port`, or `unix:path`. */
  readonly address: string;
  readonly family: "ipv4" | "ipv6" | "unix";
  readonly outcome: "connected" | "refused" | "timeout" | "no-route" | "error";
  /** `ECONNREFUSED` and the like; absent when it connected or no answer came in time. */
  readonly errno?: string;
  readonly connectMs?: number;
}

/** One certificate of the chain that the server sent; facts, whatever verification says. */
export interface CertificateFacts {
  /** SHA-256 over the DER, lower-case hex without colons. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly isSelfSigned: boolean;
  readonly isCa: boolean;
  /** Clients do without it for longer than it lasts: what is sent beside it leads past it. */
  readonly isSpare?: boolean;
}

/** What the TLS handshake showed. Each fact stands apart: Node's own error names only the first. */
export interface TlsFacts {
  /** `TLSv1.2`, `TLSv1.3`; absent when the handshake did not get that far. */
  readonly version?: string;
  readonly cipher?: string;
  readonly offeredAlpn: readonly string[];
  /** What the server selected; "" = none. Absent when the handshake did not end. */
  readonly selectedAlpn?: string;
  /** What it selects when `h2, http/1.1` is offered; asked only when `h2` alone was not selected. */
  readonly preferredAlpn?: string;
  /** Alert number that the server sent (RFC 8446 section 6). */
  readonly alert?: number;
  /** Server name sent (SNI). */
  readonly serverName?: string;
  /** As sent: leaf first; at most 10. Empty when no certificate was received. */
  readonly chain: readonly CertificateFacts[];
  /** Certificates sent in all. */
  readonly sentCertificates: number;
  /** Names of the leaf: `DNS:…` and `IP:…` without the prefix; at most 100. */
  readonly sans: readonly string[];
  /** True if the leaf has a subject alternative name extension at all. */
  readonly hasSans: boolean;
  /** Algorithm of the leaf's key: `rsa`, `ec`, `ed25519`; absent where none was received or known. */
  readonly leafKeyType?: string;
  /** Against `authority`; absent when none was configured or no leaf was received. */
  readonly coversAuthority?: boolean;
  /** The path to `ca`: "ok" or OpenSSL's code, dates ignored. Absent without `ca`. */
  readonly path?: string;
  /** True where that path fails only because a sent certificate's date is out of bounds. */
  readonly pathFailsByDate?: boolean;
  readonly bundleCertificates?: number;
  /** The server asked for a client certificate. */
  readonly clientCertificateAsked?: boolean;
  readonly clientCertificateSent?: boolean;
  readonly clientCertificate?: {
    readonly fingerprint: string;
    readonly issuer: string;
    readonly notAfter: Instant;
  };
}

/** What a raw connection heard when the expected handshake failed. */
export interface SniffResult {
  /** `proxy-header`: gRPC, to those who send a PROXY protocol header first; it closes on others. */
  readonly found: "h2c" | "tls" | "http1" | "other" | "proxy-header" | "mute" | "closed";
  /** First bytes of the answer, at most 16, as hex. */
  readonly firstOctets?: string;
  /** Alert or version byte seen when `found` is `tls`. */
  readonly alert?: number;
}

/** The server's first SETTINGS frame. Source: RFC 9113 section 6.5.2. A setting not sent is absent. */
export interface Http2Settings {
  readonly maxConcurrentStreams?: number;
  readonly initialWindowSize?: number;
  readonly maxFrameSize?: number;
  readonly maxHeaderListSize?: number;
}

/** A GOAWAY as received. */
export interface GoawayFacts {
  readonly at: Instant;
  /** HTTP/2 error code: 0 NO_ERROR … 11 ENHANCE_YOUR_CALM. */
  readonly code: number;
  /** At most 200 characters, one line, masked. */
  readonly debugText: string;
}

/** The answer to the X-ray's one unary RPC, as HTTP and as gRPC. */
export interface RpcFacts {
  readonly path: string;
  readonly httpStatus?: number;
  readonly contentType?: string;
  readonly serverHeader?: string;
  /** Absent when the answer ended without one. */
  readonly grpcStatus?: number;
  readonly grpcMessage?: string;
  /** First bytes of a body that is not gRPC; at most 64 characters. */
  readonly bodyStart?: string;
  /** A declared message size whose four bytes are printable ASCII: "html", "!DOC". */
  readonly decodedSize?: string;
  /** HTTP/2 error code of a RST_STREAM. */
  readonly resetCode?: number;
  /** The `date` header: the server's clock, to the second (RFC 9110 section 6.6.1), in our own time. */
  readonly dateAt?: Instant;
}

/** Which of a name's addresses is looked through. */
export interface LookAt {
  /** The one that was looked through last, or was to be and would not take us. */
  readonly last: string;
  /** The next one after it that connects; else it again, among those that were dialled with it. */
  readonly isNext: boolean;
  readonly dialled: readonly string[];
}

/**
 * All that one fresh connection showed, phase by phase. What a phase showed is kept when a later one
 * fails: a certificate is known although its verification failed.
 */
export interface XrayReport {
  readonly at: Instant;
  /** `unsupported`: the server will not do the RPC for us (UNIMPLEMENTED, credentials). */
  readonly outcome: "passed" | "failed" | "unsupported";
  /** The phase that failed. */
  readonly phase?: Phase;
  readonly reason?: Reason;
  readonly phaseMs: Readonly<Partial<Record<Phase, number>>>;
  /** Every address dialled, the one that was used last. */
  readonly dials: readonly DialAttempt[];
  /** How many addresses the name has; absent for an address, localhost and a name that stands for nothing. */
  readonly addressCount?: number;
  /** The address that was to be looked through again, and would not take us: another stood in for it. */
  readonly insteadOf?: string;
  /** A TCP connect to the pod's address, where it was asked for. */
  readonly podDial?: DialAttempt;
  /** Our own port on that connection: to be subtracted from what we see. */
  readonly localPort?: number;
  /** How the connection was spoken to in the end. */
  readonly spoke?: "plaintext" | "tls";
  readonly tls?: TlsFacts;
  readonly sniff?: SniffResult;
  readonly settings?: Http2Settings;
  readonly goaway?: GoawayFacts;
  readonly rpc?: RpcFacts;
  /** Round trip of one PING after the RPC's answer. */
  readonly pingMs?: number;
  /** The server accepted and closed without a byte, or sent nothing until `settingsTimeout`. */
  readonly silence?: "mute" | "closed";
}

/**
 * What the server itself has shown to speak, though something failed then: its SETTINGS, or its half of
 * a TLS handshake. `undefined` where it has shown nothing.
 */
export function provenProtocol({
  settings,
  spoke,
  tls,
}: Pick<XrayReport, "settings" | "spoke" | "tls">): XrayReport["spoke"] {
  const hasAnsweredTls = tls?.alert !== undefined || tls?.version !== undefined;
  return settings !== undefined || hasAnsweredTls ? spoke : undefined;
}

/**
 * What makes two reports the same result: phase, reason and the facts that no load changes. A
 * deterministic code speaks only when the same signature was seen twice, one second apart.
 */
export function xraySignature(report: XrayReport): string {
  const { outcome, phase, reason, sniff, silence, podDial, settings, rpc } = report;
  // Not which address met which outcome: answers rotate, and that makes no new result.
  const dials = new Set(report.dials.map((dial) => dial.outcome));
  // Taken, and closed without a byte: whether its reset was noticed at the connect, or later, is chance.
  const end =
    silence === "closed"
      ? [outcome, silence]
      : [outcome, phase, reason, sniff?.found, silence, ...[...dials].toSorted(compareWords)];
  return JSON.stringify([
    end,
    podDial?.outcome,
    report.tls === undefined ? [] : tlsSignature(report.tls),
    settings?.maxConcurrentStreams,
    [rpc?.httpStatus, rpc?.contentType, rpc?.grpcStatus],
  ]);
}

function compareWords(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function tlsSignature(tls: TlsFacts): readonly unknown[] {
  const { chain, selectedAlpn, alert, coversAuthority, path, clientCertificateSent } = tls;
  const fingerprints = chain.map((certificate) => certificate.fingerprint);
  return [fingerprints, selectedAlpn, alert, coversAuthority, path, clientCertificateSent];
}
