import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc, { type Arbitrary } from "fast-check";
import { createCallMetricsReader } from "../../src/app-metrics/call-metrics.ts";
import {
  channelFacts,
  serverTotals,
  socketFacts,
  subchannelFacts,
} from "../../src/grpc/channelz-facts.ts";
import { dialectOf } from "../../src/grpc/dialects/index.ts";
import {
  ChannelSchema,
  ServerSchema,
  SocketSchema,
  SubchannelSchema,
} from "../../src/grpc/gen/grpc/channelz/v1/channelz_pb.js";
import { createRowFold } from "../../src/host/row-fold.ts";
import { parseTcpRow } from "../../src/host/tcp-row.ts";
import { maskText } from "../../src/model/mask.ts";
import type { ChannelzObservation, Observation } from "../../src/model/observation.ts";
import { isKeepable } from "../../src/model/server-name.ts";
import type { Instant } from "../../src/model/time.ts";
import { rowText } from "../support/proc-net.ts";
import { anyText } from "./mutation.ts";

/**
 * Observations as sources make them of what a stranger says: the stranger's words are arbitrary, and
 * go through the very functions that normalise, mask and bound them.
 */

/** Names that JavaScript's own objects have, real ones, and any. */
const anyName: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "",
    "order.OrderService",
    "constructor",
    "toString",
    "__proto__",
    "valueOf",
    "x".repeat(3000),
  ),
  anyText(30),
);
const count = fc.oneof(
  fc.nat(20),
  fc.nat(100_000),
  fc.constantFrom("18446744073709551615", "-1", "9007199254740993"),
);
const target = fc.constantFrom("app", "inventory");

/** What channelz says of one object's calls, its state, its errors. */
const data = fc.record({
  id: fc.nat(6),
  state: fc.nat(7),
  target: fc.oneof(
    fc.constantFrom(
      "dns:///inventory.shop.svc:50051",
      "10.0.0.1:50051",
      "ipv4:10.0.0.2:50051",
      "unix:/tmp/x",
    ),
    anyName,
  ),
  started: count,
  succeeded: count,
  failed: count,
  createdMs: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 }),
  ),
  error: fc.option(fc.oneof(fc.constant("last error: connection refused"), anyText(400))),
});
type Data = typeof data extends Arbitrary<infer T> ? T : never;
const named = (name: string) => fc.oneof(fc.constant(name), anyName);

const cycle = fc.record({
  kind: fc.constant("cycle" as const),
  target,
  server: data,
  listens: fc.array(
    fc.oneof(
      named("[::]:50051"),
      fc.constantFrom("chttp2 ipv4:0.0.0.0:50051", "ListenSocket{addr=/0.0.0.0:50051}"),
    ),
    { maxLength: 2 },
  ),
  sockets: fc.array(
    fc.record({
      data,
      name: named("10.0.0.9:40000"),
      window: count,
      ip: fc.constantFrom("0a000009", "00", "00000000000000000000ffff0a000009"),
    }),
    { maxLength: 4 },
  ),
  channels: fc.array(
    fc.record({
      data,
      subchannels: fc.array(fc.record({ data, remote: named("10.0.0.1:50051") }), { maxLength: 3 }),
    }),
    { maxLength: 4 },
  ),
  isTruncated: fc.boolean(),
  own: fc.nat(5),
});

const health = fc.record({
  kind: fc.constant("health" as const),
  target,
  service: anyName.filter(isKeepable),
  status: fc.constantFrom("SERVING", "NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN"),
  text: fc.option(anyText(400)),
  via: fc.constantFrom("watch", "check"),
} as const);
const run = fc.record({
  kind: fc.constant("run" as const),
  target,
  probe: fc.constantFrom("get-order", "a.b_c"),
  outcome: fc.constantFrom("passed", "failed", "unsupported"),
  text: anyText(400),
  ms: fc.nat(10_000),
} as const);
const lookup = fc.record({
  kind: fc.constant("lookup" as const),
  target: fc.constant("inventory" as const),
  addresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 4 }),
  tried: anyName,
  cause: fc.constantFrom("nxdomain", "servfail", "timeout"),
} as const);
const read = fc.record({
  kind: fc.constant("read" as const),
  target,
  states: fc.array(
    fc.record({
      state: fc.constantFrom("0A", "01", "02", "08"),
      remote: fc.ipV4(),
      inode: fc.nat(9),
      queue: fc.nat(200),
    }),
    { maxLength: 12 },
  ),
});
const xray = fc.record({
  kind: fc.constant("xray" as const),
  target,
  outcome: fc.constantFrom("passed", "failed"),
  phase: fc.constantFrom("tcp", "tls", "http2", "rpc"),
  reason: fc.constantFrom("refused", "handshake_failed", "not_grpc", "goaway", "deadline"),
  san: anyText(150),
  text: anyText(400),
  limit: fc.nat(200),
  status: fc.nat(20),
} as const);
const scrape = fc.record({
  kind: fc.constant("scrape" as const),
  target,
  codes: fc.array(
    fc.record({
      code: fc.constantFrom("OK", "Unavailable", "DeadlineExceeded", "x"),
      method: anyName,
      count: fc.oneof(fc.nat(1000), fc.constant(1e308)),
    }),
    { maxLength: 5 },
  ),
});
const connection = fc.record({
  kind: fc.constant("connection" as const),
  target,
  what: fc.constantFrom("opened", "closed", "goaway", "silent", "replied"),
  text: anyText(300),
} as const);
const capability = fc.record({
  kind: fc.constant("capability" as const),
  target,
  available: fc.boolean(),
  part: fc.option(anyName),
  reason: anyText(300),
});

/** What was seen, and how long after what was seen before it. */
export const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(1000), fc.constantFrom(10_000, 60_000, 600_000)),
    seen: fc.oneof(cycle, cycle, health, run, lookup, read, xray, scrape, connection, capability),
  }),
  { maxLength: 25 },
);
export type Step = typeof steps extends Arbitrary<readonly (infer T)[]> ? T : never;
type Seen<K> = Extract<Step["seen"], { kind: K }>;

export function observationOf({ seen }: Step, at: Instant): Observation {
  switch (seen.kind) {
    case "cycle":
      return cycleOf(seen, at);
    case "health":
      return healthOf(seen, at);
    case "run":
      return runOf(seen, at);
    case "lookup":
      return lookupOf(seen, at);
    case "read":
      return readOf(seen, at);
    case "xray":
      return xrayOf(seen, at);
    case "scrape":
      return scrapeOf(seen, at);
    case "connection":
      return connectionOf(seen, at);
    case "capability":
      return capabilityOf(seen, at);
  }
}

function countersOf({ started, succeeded, failed }: Data) {
  const [callsStarted, callsSucceeded, callsFailed] = [started, succeeded, failed].map((one) => {
    // As int64 on the wire.
    return BigInt.asIntN(64, BigInt(one));
  });
  return {
    callsStarted: callsStarted ?? 0n,
    callsSucceeded: callsSucceeded ?? 0n,
    callsFailed: callsFailed ?? 0n,
  };
}

function channelData(given: Data) {
  const events = given.error === null ? [] : [{ description: given.error, severity: 3 }];
  return {
    state: { state: given.state },
    target: given.target,
    trace: { events },
    ...countersOf(given),
  };
}

function cycleOf(seen: Seen<"cycle">, at: Instant): ChannelzObservation {
  const { server: given, listens } = seen;
  const trace =
    given.createdMs === 0 ? {} : { trace: { creationTimestamp: timestampFromMs(given.createdMs) } };
  const server = create(ServerSchema, {
    ref: { serverId: BigInt(given.id) },
    data: { ...countersOf(given), ...trace },
    listenSocket: listens.map((name) => ({ name })),
  });
  const dialect = dialectOf({ server });
  const sockets = seen.sockets.flatMap(({ data: one, name, window, ip }) => {
    const { callsStarted, callsSucceeded, callsFailed } = countersOf(one);
    const facts = socketFacts(
      create(SocketSchema, {
        ref: { socketId: BigInt(one.id), name },
        remote: {
          address: {
            case: "tcpipAddress",
            value: { ipAddress: Buffer.from(ip, "hex"), port: one.id },
          },
        },
        data: {
          streamsStarted: callsStarted,
          streamsSucceeded: callsSucceeded,
          streamsFailed: callsFailed,
          messagesSent: callsStarted,
          messagesReceived: callsSucceeded,
          remoteFlowControlWindow: BigInt.asIntN(64, BigInt(window)),
        },
      }),
      dialect,
    );
    return facts ?? [];
  });
  const channels = seen.channels.map(({ data: one, subchannels }) => {
    const below = subchannels.map(({ data: sub, remote }) => {
      const socket = create(SocketSchema, {
        ref: { socketId: BigInt(sub.id), name: remote },
        data: {},
      });
      const subchannel = create(SubchannelSchema, {
        ref: { subchannelId: BigInt(sub.id) },
        data: channelData(sub),
      });
      return subchannelFacts(subchannel, dialect, [socket]);
    });
    const channel = create(ChannelSchema, {
      ref: { channelId: BigInt(one.id) },
      data: channelData(one),
    });
    return channelFacts(channel, dialect, below);
  });
  return {
    source: "channelz",
    kind: "cycle",
    target: seen.target,
    at,
    implementation: dialect.implementation,
    server: serverTotals(server, dialect),
    ownCalls: { started: seen.own, succeeded: seen.own, failed: 0, unimplemented: 0 },
    socketCount: sockets.length,
    socketsTruncated: seen.isTruncated,
    sockets,
    channels,
    durationMs: 5,
  };
}

function healthOf(
  { target: name, service, status, text, via }: Seen<"health">,
  at: Instant,
): Observation {
  const base = { source: "health", target: name, at, service, via } as const;
  return text === null
    ? { ...base, kind: "status", status }
    : { ...base, kind: "error", code: "UNAVAILABLE", text: maskText(text) };
}

function runOf({ target: name, probe, outcome, text, ms }: Seen<"run">, at: Instant): Observation {
  const failed = {
    phase: "rpc",
    reason: "status",
    status: "INTERNAL",
    statusText: maskText(text),
  } as const;
  return {
    source: "probe",
    kind: "run",
    target: name,
    at,
    probe,
    method: "order.OrderService/GetOrder",
    outcome,
    ...(outcome === "passed" ? { status: "OK" } : failed),
    durationMs: ms,
    phaseMs: { rpc: ms },
    deadlineMs: 500,
    connection: "fresh",
    isFirstOnChannel: false,
    scheduleLagMs: 0,
    requestBytes: 1,
    responseBytes: 1,
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    isSampled: true,
  };
}

function lookupOf({ addresses, tried, cause }: Seen<"lookup">, at: Instant): Observation {
  const base = {
    source: "dns",
    kind: "lookup",
    target: "inventory",
    at,
    name: "inventory.shop.svc",
    triedNames: [tried.slice(0, 253)],
    durationMs: 3,
  } as const;
  return addresses.length === 0
    ? { ...base, outcome: "failed", cause, addresses: [] }
    : { ...base, outcome: "answered", addresses: [...new Set(addresses)].toSorted(), ttlMs: 5000 };
}

function readOf({ target: name, states }: Seen<"read">, at: Instant): Observation {
  const isApp = name === "app";
  const interest = {
    target: name,
    role: isApp ? "app" : "upstream",
    port: 50_051,
    addresses: ["10.0.0.1"],
    ownsPod: isApp,
  } as const;
  const fold = createRowFold({ interests: [interest], ownPorts: new Set(), ownListeners: [] });
  for (const { state, remote, inode, queue } of states) {
    const local = state === "02" ? "10.0.0.5:40001" : "10.0.0.5:50051";
    const line = Buffer.from(
      rowText({ local, remote: `${remote}:50051`, state, inode, receiveQueue: queue }),
    );
    const row = parseTcpRow(line, 0, line.length);
    if (row !== undefined) fold.add(row);
  }
  const { sharesNetwork, tellsAcceptance } = fold.namespaceFacts();
  const surroundings = { mesh: false, hostNetwork: false, podAddresses: ["10.0.0.5"] };
  return {
    source: "kernel",
    kind: "read",
    target: name,
    at,
    costMs: 2,
    sharesNetwork,
    tellsAcceptance,
    surroundings,
    overflows: states.length,
    ...fold.factsFor(interest),
  };
}

function xrayOf(seen: Seen<"xray">, at: Instant): Observation {
  const { outcome, phase, reason, san, text, limit, status } = seen;
  const failed = outcome === "failed" ? { phase, reason } : {};
  return {
    source: "preflight",
    kind: "xray",
    target: seen.target,
    at,
    report: {
      at,
      outcome,
      ...failed,
      phaseMs: { tcp: 1 },
      dials: [
        {
          at,
          address: "127.0.0.1:50051",
          family: "ipv4",
          outcome: reason === "refused" ? "refused" : "connected",
        },
      ],
      spoke: "tls",
      tls: {
        offeredAlpn: ["h2"],
        chain: [],
        sentCertificates: 1,
        sans: [san],
        hasSans: true,
        coversAuthority: limit % 2 === 0,
      },
      settings: { maxConcurrentStreams: limit },
      goaway: { at, code: status, debugText: maskText(text) },
      rpc: {
        path: "/grpc.health.v1.Health/Check",
        grpcStatus: status,
        grpcMessage: maskText(text),
        bodyStart: maskText(text).slice(0, 64),
      },
    },
  };
}

function scrapeOf({ target: name, codes }: Seen<"scrape">, at: Instant): Observation {
  const reader = createCallMetricsReader();
  for (const { code, method, count: value } of codes) {
    const label = method.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    reader.feed(
      Buffer.from(
        `grpc_server_handled_total{grpc_code="${code}",grpc_method="${label}"} ${value}\n`,
      ),
    );
  }
  const metrics = reader.end() ?? { families: [], handledByCode: {}, durations: {}, methods: [] };
  return { source: "metrics", kind: "scrape", target: name, at, ...metrics };
}

function connectionOf({ target: name, what, text }: Seen<"connection">, at: Instant): Observation {
  const base = { source: "connection", target: name, at } as const;
  switch (what) {
    case "opened":
      return {
        ...base,
        kind: "opened",
        address: "127.0.0.1:50051",
        localPort: 40_000,
        connectMs: 1,
      };
    case "closed":
      return { ...base, kind: "closed", by: "rst", reason: "refused" };
    case "goaway":
      return { ...base, kind: "goaway", goaway: { at, code: 11, debugText: maskText(text) } };
    default:
      return { ...base, kind: "reply", outcome: what, ms: 2 };
  }
}

function capabilityOf(
  { target: name, available, part, reason }: Seen<"capability">,
  at: Instant,
): Observation {
  const parts = part === null ? {} : { part: part.slice(0, 200) };
  return {
    source: "health",
    kind: "capability",
    target: name,
    at,
    available,
    ...parts,
    reason: maskText(reason),
  };
}
