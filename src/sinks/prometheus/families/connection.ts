import { PHASES } from "../../../model/phase.ts";
import type { Reason } from "../../../model/reason.ts";
import { knownValue } from "../../../model/snapshot.ts";
import { type Family, PREFIX, seconds } from "../family.ts";
import { fromTargets, value } from "../per-target.ts";

/** From a loopback handshake to one that a person notices. */
const PHASE_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5];

/** The reasons that a pod meets first; the others appear when they are met. */
const LIKELY_REASONS: readonly Reason[] = ["refused", "connect_timeout", "deadline", "other"];

/** Leaf, intermediate, root: what a chain has, as sent. */
const MOST_POSITIONS = 3;

/** HTTP/2 error codes by number. Source: RFC 9113 section 7. */
const HTTP2_CODES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
] as const;

export const CONNECTION_FAMILIES: readonly Family[] = [
  {
    name: `${PREFIX}connection_phase_seconds`,
    help: "Time of each phase (dns, tcp, tls, http2, rpc) of the agent's fresh connections. A timer of the agent: it opens them on a schedule of its own.",
    type: "histogram",
    unit: "seconds",
    labels: ["target", "phase"],
    buckets: PHASE_BUCKETS,
    inDefaultPod: PHASES.length * (PHASE_BUCKETS.length + 3),
    from: () => ({
      observe(observation) {
        if (observation.kind !== "xray") return [];
        const { target, report } = observation;
        return PHASES.flatMap((phase) => {
          const ms = report.phaseMs[phase];
          return ms === undefined ? [] : [{ labels: { target, phase }, value: seconds(ms) }];
        });
      },
    }),
  },
  {
    name: `${PREFIX}connection_attempts_total`,
    help: "Fresh connections that the agent tried, failed ones included.",
    type: "counter",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({
      starts: ({ settings }) => settings.targets.map(({ name }) => ({ target: name })),
      observe: (observation) =>
        observation.kind === "xray" ? [{ labels: { target: observation.target }, value: 1 }] : [],
    }),
  },
  {
    name: `${PREFIX}connection_failures_total`,
    help: "Fresh connections of the agent that failed, by reason.",
    type: "counter",
    labels: ["target", "reason"],
    inDefaultPod: LIKELY_REASONS.length,
    from: () => ({
      starts: ({ settings }) =>
        settings.targets.flatMap(({ name }) =>
          LIKELY_REASONS.map((reason) => ({ target: name, reason })),
        ),
      observe(observation) {
        if (observation.kind !== "xray" || observation.report.outcome !== "failed") return [];
        const { target, report } = observation;
        return [{ labels: { target, reason: report.reason ?? "other" }, value: 1 }];
      },
    }),
  },
  {
    name: `${PREFIX}tls_certificate_not_before_timestamp_seconds`,
    help: "When the certificate that the server sends becomes valid (the leaf).",
    type: "gauge",
    unit: "seconds",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({
      read: fromTargets((watched) => {
        const [leaf] = knownValue(watched, "xray")?.latest.tls?.chain ?? [];
        return value(leaf === undefined ? undefined : seconds(leaf.notBefore));
      }),
    }),
  },
  {
    name: `${PREFIX}tls_certificate_not_after_timestamp_seconds`,
    help: "When each certificate that the server sends expires; position 0 is the leaf.",
    type: "gauge",
    unit: "seconds",
    labels: ["target", "position"],
    inDefaultPod: MOST_POSITIONS,
    from: () => ({
      read: fromTargets((watched) => {
        const chain = knownValue(watched, "xray")?.latest.tls?.chain ?? [];
        return chain.slice(0, MOST_POSITIONS).map((certificate, position) => ({
          labels: { position: String(position) },
          value: seconds(certificate.notAfter),
        }));
      }),
    }),
  },
  {
    name: `${PREFIX}tls_info`,
    help: "What the newest TLS handshake agreed on; alpn is empty when the server selected none.",
    type: "info",
    labels: ["target", "version", "alpn"],
    inDefaultPod: 1,
    from: () => ({
      read: fromTargets((watched) => {
        const tls = knownValue(watched, "xray")?.latest.tls;
        if (tls?.version === undefined) return [];
        return [{ labels: { version: tls.version, alpn: tls.selectedAlpn ?? "" }, value: 1 }];
      }),
    }),
  },
  {
    name: `${PREFIX}http2_max_concurrent_streams`,
    help: "SETTINGS_MAX_CONCURRENT_STREAMS of the server. Absent when it sends none: no limit.",
    type: "gauge",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({
      read: fromTargets((watched) =>
        value(knownValue(watched, "xray")?.lastSettings?.maxConcurrentStreams),
      ),
    }),
  },
  {
    name: `${PREFIX}http2_open_streams_max`,
    help: "Streams open on the fullest connection that channelz showed in the newest poll.",
    type: "gauge",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({
      read: fromTargets((watched) => {
        const poll = knownValue(watched, "sockets")?.polls.at(-1);
        return value(poll && Math.max(0, ...poll.read.map((socket) => socket.open)));
      }),
    }),
  },
  {
    name: `${PREFIX}http2_goaways_total`,
    help: "GOAWAY frames that the agent's kept connection received, by HTTP/2 error code.",
    type: "counter",
    labels: ["target", "code"],
    inDefaultPod: 2,
    from: () => ({
      starts: ({ settings }) =>
        settings.targets.flatMap(({ name }) =>
          ["NO_ERROR", "ENHANCE_YOUR_CALM"].map((code) => ({ target: name, code })),
        ),
      observe(observation) {
        if (observation.kind !== "goaway") return [];
        const code = HTTP2_CODES[observation.goaway.code] ?? "other";
        return [{ labels: { target: observation.target, code }, value: 1 }];
      },
    }),
  },
];
