import * as z from "zod";
import { IMPLEMENTATIONS } from "../../model/channelz.ts";
import type { Facts } from "../../model/facts/index.ts";
import type { KeptEnd } from "../../model/facts/kept.ts";
import type { AcceptRead } from "../../model/facts/listeners.ts";
import type { OutboundMinute } from "../../model/facts/outbound.ts";
import { PHASES } from "../../model/phase.ts";
import { REASONS } from "../../model/reason.ts";
import type { ListenRow, RemoteRows } from "../../model/socket-rows.ts";
import type {
  CertificateFacts,
  DialAttempt,
  GoawayFacts,
  Http2Settings,
  RpcFacts,
  SniffResult,
  TlsFacts,
  XrayReport,
} from "../../model/xray.ts";
import { count, exactly, flag, instant, list, maybe, record, some, text } from "./bounds.ts";

const dialOutcome = z.enum(["connected", "refused", "timeout", "no-route", "error"]);

const dial = exactly<DialAttempt>()({
  at: instant,
  address: text,
  family: z.enum(["ipv4", "ipv6", "unix"]),
  outcome: dialOutcome,
  errno: maybe(text),
  connectMs: maybe(count),
});

const run = exactly<Facts["reach"]["runs"][string]>()({
  outcome: dialOutcome,
  since: instant,
  lastAt: instant,
  count,
  errno: maybe(text),
});

export const reach = exactly<Facts["reach"]>()({
  firstTriedAt: instant,
  attempts: list(dial, 100),
  lastConnectedAt: maybe(instant),
  everListened: flag,
  failing: maybe(z.object({ since: instant, lastAt: instant, rounds: count })),
  runs: record(run, 100),
  pod: maybe(run.extend({ address: text })),
});

const certificate = exactly<CertificateFacts>()({
  fingerprint: text,
  subject: text,
  issuer: text,
  notBefore: instant,
  notAfter: instant,
  isSelfSigned: flag,
  isCa: flag,
  isSpare: maybe(flag),
});

const tls = exactly<TlsFacts>()({
  version: maybe(text),
  cipher: maybe(text),
  offeredAlpn: list(text, 20),
  selectedAlpn: maybe(text),
  preferredAlpn: maybe(text),
  alert: maybe(count),
  serverName: maybe(text),
  chain: list(certificate, 20),
  sentCertificates: count,
  sans: list(text, 200),
  hasSans: flag,
  leafKeyType: maybe(text),
  coversAuthority: maybe(flag),
  path: maybe(text),
  pathFailsByDate: maybe(flag),
  bundleCertificates: maybe(count),
  clientCertificateAsked: maybe(flag),
  clientCertificateSent: maybe(flag),
  clientCertificate: maybe(z.object({ fingerprint: text, issuer: text, notAfter: instant })),
});

const sniff = exactly<SniffResult>()({
  found: z.enum(["h2c", "tls", "http1", "other", "proxy-header", "mute", "closed"]),
  firstOctets: maybe(text),
  alert: maybe(count),
});

const settings = exactly<Http2Settings>()({
  maxConcurrentStreams: maybe(count),
  initialWindowSize: maybe(count),
  maxFrameSize: maybe(count),
  maxHeaderListSize: maybe(count),
});

const goaway = exactly<GoawayFacts>()({ at: instant, code: count, debugText: text });

const rpc = exactly<RpcFacts>()({
  path: text,
  httpStatus: maybe(count),
  contentType: maybe(text),
  serverHeader: maybe(text),
  grpcStatus: maybe(count),
  grpcMessage: maybe(text),
  bodyStart: maybe(text),
  decodedSize: maybe(text),
  resetCode: maybe(count),
  dateAt: maybe(instant),
});

export const phaseMs = some(PHASES, count);

const report = exactly<XrayReport>()({
  at: instant,
  outcome: z.enum(["passed", "failed", "unsupported"]),
  phase: maybe(z.enum(PHASES)),
  reason: maybe(z.enum(REASONS)),
  phaseMs,
  dials: list(dial, 40),
  addressCount: maybe(count),
  insteadOf: maybe(text),
  podDial: maybe(dial),
  localPort: maybe(count),
  spoke: maybe(z.enum(["plaintext", "tls"])),
  tls: maybe(tls),
  sniff: maybe(sniff),
  settings: maybe(settings),
  goaway: maybe(goaway),
  rpc: maybe(rpc),
  silence: maybe(z.enum(["mute", "closed"])),
  pingMs: maybe(count),
});

export const xray = exactly<Facts["xray"]>()({
  latest: report,
  same: z.object({ since: instant, lastAt: instant, count }),
  failedBefore: maybe(z.object({ signature: text, at: instant })),
  lastPassedAt: maybe(instant),
  looked: maybe(list(text, 64)),
  verified: maybe(z.object({ fingerprint: text, sent: count })),
  everHttp2: flag,
  lastSettings: maybe(settings),
  lastLimits: list(count.nullable(), 10),
});

const lookupCause = z.enum(["nxdomain", "no-data", "servfail", "refused", "timeout"]);

export const resolution = exactly<Facts["resolution"]>()({
  name: text,
  lookups: list(
    z.object({
      at: instant,
      outcome: z.enum(["answered", "failed"]),
      cause: maybe(lookupCause),
      durationMs: count,
      isSuspect: maybe(z.literal(true)),
      unanswered: maybe(z.enum(["A", "AAAA"])),
    }),
    100,
  ),
  failing: maybe(z.object({ since: instant, lastAt: instant, count, cause: lookupCause })),
  triedNames: list(text, 50),
  answers: list(text, 1_000),
  answeredAt: maybe(instant),
  answeredInRow: count,
  seen: record(
    z.object({ at: instant, since: instant, missed: count, longestGapMs: count }),
    1_000,
  ),
  highestTtlMs: count,
});

const listenRow = exactly<ListenRow>()({
  address: text,
  port: count,
  queued: count,
  inode: maybe(count),
});

const acceptRead = exactly<AcceptRead>()({
  at: instant,
  queued: count,
  unaccepted: maybe(count),
  overflows: maybe(count),
  drops: maybe(count),
  established: count,
  receiveQueueBytes: count,
  acceptedReceiveQueueBytes: maybe(count),
  keptReceiveQueueBytes: maybe(count),
});

export const listeners = exactly<Facts["listeners"]>()({
  rows: list(listenRow, 1_000),
  listening: list(text, 200),
  sharesNetwork: flag,
  loopbackClients: count,
  reads: list(acceptRead, 100),
  since: instant,
});

export const surroundings = exactly<Facts["surroundings"]>()({
  mesh: flag,
  hostNetwork: flag,
  podAddress: maybe(text),
  readCostMs: count,
  clockDifferenceMs: maybe(count),
  podAddresses: list(text, 200),
});

const remoteRows = exactly<RemoteRows>()({
  address: text,
  port: count,
  established: count,
  synSent: count,
  synRetransmits: count,
  timeWait: count,
  closeWait: count,
  retransmitting: count,
  maxRetransmits: count,
  zeroWindow: count,
  sendQueueBytes: count,
  receiveQueueBytes: count,
  localPorts: list(count, 200),
});

const outboundMinute = exactly<OutboundMinute>()({
  at: instant,
  to: instant,
  remotes: list(
    z.object({
      address: text,
      port: count,
      established: count,
      timeWait: count,
      newPorts: count,
    }),
    200,
  ),
});

export const outbound = exactly<Facts["outbound"]>()({
  reads: list(z.object({ at: instant, remotes: list(remoteRows, 200) }), 50),
  minutes: list(outboundMinute, 50).default([]),
  knownAs: record(text, 1_000),
});

const keptEnd = exactly<KeptEnd>()({
  at: instant,
  lifeMs: count,
  idleMs: count,
  by: z.enum(["goaway", "fin", "rst"]),
  goaway: maybe(goaway.pick({ code: true, debugText: true })),
});

export const kept = exactly<Facts["kept"]>()({
  state: z.enum(["open", "closed"]),
  since: instant,
  localPort: maybe(count),
  connectMs: maybe(count),
  implementation: maybe(z.enum(IMPLEMENTATIONS)),
  replies: list(z.object({ at: instant, outcome: z.enum(["replied", "silent"]), ms: count }), 100),
  silentInRow: count,
  lastReplyAt: maybe(instant),
  closedBy: maybe(z.enum(["us", "goaway", "fin", "rst", "flood", "error"])),
  goaway: maybe(goaway),
  lost: count,
  // Snapshots of earlier versions have none.
  ends: list(keptEnd, 100).default([]),
});
