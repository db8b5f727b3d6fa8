import type { Reason } from "../../model/reason.ts";
import { SOURCE_NAMES, type SourceName } from "../../model/source-name.ts";

/** A value of a label and what it means; a value without words says it itself. */
type Words = readonly (readonly [value: string, says: string])[];

interface LabelWords {
  readonly label: string;
  /** Where the values come from, and where they are used. */
  readonly says: string;
  readonly values: Words;
}

/** Every reason that a metric may name. */
const REASONS: Readonly<Record<Reason, string>> = {
  certificate_expired: "a certificate of the path has expired",
  certificate_not_yet_valid: "a certificate of the path is not valid yet",
  hostname_mismatch: "the certificate does not cover `authority`",
  untrusted_issuer: "the chain does not end at an issuer of `ca`",
  client_certificate_rejected: "the server refused the client certificate",
  client_certificate_required: "the server asks for a client certificate, and the agent has none",
  protocol_version: "no common version of TLS",
  alpn_missing: "the server does not select `h2` by ALPN",
  handshake_failed: "TLS failed otherwise",
  goaway: "the connection ended with a GOAWAY",
  connection_reset: "the connection was reset (RST)",
  connection_closed: "the connection was closed (FIN)",
  connection_timed_out: "an established connection timed out",
  connection_aborted: "the kernel aborted the connection",
  socket_error: "another error of the socket",
  subchannel_shutdown: "the agent closed it itself",
  nxdomain: "the name does not exist",
  no_data: "the name exists and has no address",
  servfail: "the DNS server failed",
  dns_refused: "the DNS server refuses to answer",
  dns_timeout: "DNS gave no answer in time",
  refused: "nothing listens there (ECONNREFUSED)",
  no_route: "no route, or one that prohibits",
  connect_timeout: "no answer to the connect in 3 s",
  plaintext_expected: "plaintext was expected, the server speaks TLS",
  tls_expected: "TLS was expected, the server speaks plaintext",
  not_http2: "the server speaks something else than HTTP/2",
  settings_timeout: "no SETTINGS in time",
  flooded: "the server sent more than anybody needs",
  not_grpc: "HTTP/2, and no gRPC: an HTTP status, another content type",
  stream_reset: "the call was reset (RST_STREAM)",
  stream_refused: "the call was refused (REFUSED_STREAM)",
  message_too_large: "a message is larger than one side takes",
  malformed_reply: "the answer breaks the protocol",
  deadline: "no answer within the deadline",
  status: "a gRPC status other than the one expected",
  assertion: "the answer is not as `that` expects",
  latency: "the answer came later than `latency` allows",
  descriptor: "the types cannot be had, or do not fit",
  credentials: "a token, certificate or key cannot be read",
  agent: "a lack of the agent itself: says nothing of the server",
  other: "none of these",
};

const SOURCES: Readonly<Record<SourceName, string>> = {
  health: "`grpc.health.v1`: Watch, List, Check",
  channelz: "`grpc.channelz.v1`",
  preflight: "the agent's own fresh connection, the X-ray",
  probe: "configured calls",
  dns: "lookups of an upstream's name",
  kernel: "`/proc/net` of the shared network namespace",
  metrics: "the app's own Prometheus endpoint",
  files: "certificate files that are mounted in the pod",
};

/** What the labels of the metrics can say, beyond names of the configuration. */
export const LABEL_WORDS: readonly LabelWords[] = [
  {
    label: "reason",
    says: "Why an attempt failed. Which of them a family starts with is a guess at the likely ones; the others appear when they are met. `dns_failures_total` has the DNS ones only.",
    values: Object.entries(REASONS),
  },
  {
    label: "source",
    says: "A way to look at the world.",
    values: SOURCE_NAMES.map((source): readonly [string, string] => [source, SOURCES[source]]),
  },
  {
    label: "job",
    says: "A source, as its planned use on all targets together; each probe is a job of its own, `probe/NAME`.",
    values: [],
  },
  {
    label: "state",
    says: "In `tcp_connections`, as the kernel's table has them; of channels, the connectivity state of gRPC (IDLE, CONNECTING, READY, TRANSIENT_FAILURE, SHUTDOWN).",
    values: [
      ["established", "connected; to the app: the ones below included"],
      ["unaccepted", "to the app: connected by the kernel, and not accepted by the app yet"],
      ["syn_sent", "from the app: no answer to its connect yet"],
      ["time_wait", "from the app: closed by it a moment ago"],
      ["close_wait", "from the app: closed by the other side, and not by the app"],
    ],
  },
  {
    label: "position",
    says: "In the chain as the server sends it.",
    values: [
      ["0", "the leaf"],
      ["1, 2", "the next certificates, usually intermediates"],
    ],
  },
  {
    label: "sink",
    says: "Whom the agent tells.",
    values: [
      ["log", "standard output"],
      ["webhook", "the configured receiver"],
    ],
  },
  {
    label: "phase",
    says: "Of a fresh connection: `dns`, `tcp`, `tls`, `http2` (up to SETTINGS), `rpc` (the one call).",
    values: [],
  },
  {
    label: "direction",
    says: "As the app sees it: `received`, `sent`.",
    values: [],
  },
  {
    label: "status",
    says: "Of gRPC's health: `SERVING`, `NOT_SERVING`, `SERVICE_UNKNOWN`, `UNKNOWN`; 1 for the one that is. `grpc_service` is empty for the server as a whole.",
    values: [],
  },
  {
    label: "grpc_status",
    says: "The name of a gRPC status, or `none`: the run got no answer of gRPC's, or could not be made.",
    values: [],
  },
  {
    label: "code",
    says: "A finding code (`docs/findings/`); in `http2_goaways_total` an error code of HTTP/2 (`NO_ERROR`, `ENHANCE_YOUR_CALM`, …), or `other`.",
    values: [],
  },
  {
    label: "channel",
    says: "The configured upstream that a channel of the app leads to, or `other`.",
    values: [],
  },
];
