import { describe, expect, it } from "vitest";
import { notGrpc } from "../../src/detectors/not-grpc.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { RpcFacts, XrayReport } from "../../src/model/xray.ts";
import {
  aListeners,
  anAcceptRead,
  anExpectation,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  aProbeHistory,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  SECOND,
  someProbes,
  someSurroundings,
  someTls,
  UNCONFIRMED,
} from "../support/snapshot.ts";

const settingsTimeout = notGrpc.limits.settingsTimeout.default;
const path = "/grpc.health.v1.Health/Check";
const reportOf = (report: Change<XrayReport>, everHttp2 = false): Facts["xray"] =>
  anXray({
    latest: anXrayReport({ outcome: "failed", phase: "http2", settings: undefined, ...report }),
    everHttp2,
    lastPassedAt: undefined,
  });
const answer = (rpc: Partial<RpcFacts>, report: Change<XrayReport> = {}): Facts["xray"] =>
  reportOf(
    { phase: "rpc", reason: "not_grpc", settings: {}, rpc: { path, ...rpc }, ...report },
    true,
  );
const page = { httpStatus: 200, contentType: "text/html" };
const bare = { httpStatus: 200, contentType: "application/grpc" };
/** Each test changes one thing of it. */
const sick: Partial<Facts> = {
  xray: reportOf({ sniff: { found: "http1", firstOctets: "485454502f312e31" } }),
  expectation: anExpectation({ startupMs: 0 }),
};
const judged = (change: Partial<Facts>, timingTrusted = true) =>
  judge(notGrpc, { ...sick, ...change }, { timingTrusted });
const mute = (phaseMs: XrayReport["phaseMs"]) => reportOf({ silence: "mute", phaseMs });

/** What the newest read of the kernel found in the accept queue. */
const waiting = (queued: number, at = NOW) =>
  aListeners({
    reads: [anAcceptRead({ queued: 0, at: at - SECOND }), anAcceptRead({ queued, at })],
  });

const symptom = {
  subject: {},
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "The port answers in HTTP/1",
  evidence: { cause: "http1", firstOctets: "485454502f312e31" },
};
const says = (summary: string, evidence: object) => ({ ...symptom, summary, evidence });

it.each<[string, Facts["xray"]]>([
  ["all is well", anXray()],
  ["the RPC is not implemented, in the form of gRPC", answer({ ...bare, grpcStatus: 12 })],
  ["a status comes without a content type", answer({ httpStatus: 200, grpcStatus: 0 })],
  [
    "gRPC-Web answers: its status is in the body",
    answer({ ...bare, contentType: "application/grpc-web+proto" }),
  ],
  ["the answer was reset", answer({ ...bare, resetCode: 2 })],
  ["a page was reset", answer({ ...page, resetCode: 2 })],
  ["the connection closed in mid-stream", answer(bare, { reason: "connection_closed" })],
  ["the connection was reset in mid-stream", answer(bare, { reason: "connection_reset" })],
  ["our deadline ended it", answer(bare, { reason: "deadline" })],
  ["the server went away", answer(bare, { reason: "goaway" })],
  ["the call never got an answer", answer({})],
  ["we left off at a message of gigabytes", answer(bare, { reason: "message_too_large" })],
  ["we left off at a second message", answer(bare, { reason: "malformed_reply" })],
  ["HTTP 401 answers us, who have no credentials", answer({ httpStatus: 401 })],
  ["HTTP 403 answers us, who have no credentials", answer({ httpStatus: 403 })],
  ["HTTP 429 tells us to slow down", answer({ httpStatus: 429 })],
  [
    "a healthy server says by HTTP that it lacks health",
    answer({ httpStatus: 404, contentType: "text/plain" }, { outcome: "unsupported" }),
  ],
  ["the sniff finds TLS", reportOf({ sniff: { found: "tls" } })],
  ["the sniff finds h2c", reportOf({ sniff: { found: "h2c" } })],
  ["a server that spoke HTTP/2 is mute now", reportOf({ silence: "mute" }, true)],
  ["a server that spoke HTTP/2 closes now", reportOf({ silence: "closed" }, true)],
  ["it was given less time than the limit", mute({ http2: settingsTimeout - 1 })],
  [
    "it closes as we have no certificate for it",
    reportOf({
      silence: "closed",
      tls: someTls({ clientCertificateAsked: true, clientCertificateSent: false }),
    }),
  ],
  ...["No required SSL certificate was sent", "The SSL certificate error"].map(
    (title): [string, Facts["xray"]] => [
      `a proxy asked for a certificate, and answers: ${title}`,
      answer(
        { httpStatus: 400, contentType: "text/html", bodyStart: `<html> <title>400 ${title}` },
        { tls: someTls({ clientCertificateAsked: true }) },
      ),
    ],
  ),
])("is silent when %s", (_when, xray) => {
  expect(judged({ xray })).toEqual([]);
});

const passedAt = (lastOkAt: number) =>
  someProbes({ probes: { "get-order": aProbeHistory({ lastOkAt }) } });
const strayedSince = answer({ httpStatus: 404 }).same.since;

it.each([404, 405])("is silent about HTTP %d where a probe passed since", (httpStatus) => {
  const xray = answer({ httpStatus });
  expect(judged({ xray, probes: passedAt(strayedSince) })).toEqual([]);
  expect(judged({ xray, probes: passedAt(strayedSince - 1) })).toHaveLength(1);
});

it("judges another protocol whatever a probe passed: it may have gone to another address", () => {
  expect(judged({ probes: passedAt(NOW) })).toEqual([symptom]);
});

it.each<[string, Partial<Facts>]>([
  ["no address connected", { xray: reportOf({ phase: "tcp" }) }],
  ["the name did not resolve", { xray: reportOf({ phase: "dns", silence: "closed" }) }],
  [
    "it was seen only once",
    { xray: { ...reportOf({ silence: "closed" }), same: UNCONFIRMED.once } },
  ],
  [
    "a mesh stands before the upstream",
    { expectation: anUpstreamExpectation(), surroundings: someSurroundings({ mesh: true }) },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it("does not judge silence while its own timing cannot be trusted", () => {
  const expectation = anExpectation({ startupMs: 600_000 });
  expect(judged({ xray: mute({}), expectation }, false)).toBeUndefined();
});

it("suspects silence in one look, which is over before its timing can be trusted", () => {
  const oneLook = { expectation: anExpectation({ startupMs: 0 }) };
  const unheard = { listeners: waiting(1) };
  expect(judged({ ...oneLook, ...unheard, xray: mute({}) }, false)).toBeUndefined();
  expect(judged(oneLook, false)).toEqual([symptom]);
  expect(judged({ ...oneLook, xray: mute({}) }, true)).not.toMatchObject([{ isSuspicion: true }]);
  expect(judged({ ...oneLook, xray: mute({}) }, false)).toEqual([
    {
      ...says("The port accepts connections and says nothing", { cause: "mute" }),
      isSuspicion: true,
      holdMs: 600_000,
    },
  ]);
});

it.each<[string, Facts["listeners"]]>([
  ["nobody has accepted the connection", waiting(1)],
  ["the kernel was not asked since", waiting(0, NOW - 30 * SECOND - 1)],
])("does not judge silence while %s", (_when, listeners) => {
  expect(judged({ xray: mute({}), listeners })).toBeUndefined();
  expect(judged({ listeners })).toEqual([symptom]);
});

it("does not judge that ours was closed while it holds connections of others: it may have a limit", () => {
  const closed = reportOf({ silence: "closed" });
  const reading = (established: number, unaccepted?: number) =>
    aListeners({
      reads: [anAcceptRead({ established, ...(unaccepted === undefined ? {} : { unaccepted }) })],
    });
  expect(judged({ xray: closed, listeners: reading(3, 0) })).toBeUndefined();
  const lately = aListeners({
    reads: [anAcceptRead({ established: 3, unaccepted: 0 }), anAcceptRead({ established: 0 })],
  });
  expect(judged({ xray: closed, listeners: lately })).toBeUndefined();
  expect(judged({ xray: closed, listeners: reading(3, 3) })).toHaveLength(1);
});

it("judges what accepts and resets at once, wherever we noticed it", () => {
  const xray = reportOf({ phase: "tcp", reason: "connection_reset", silence: "closed" });
  expect(judged({ xray })).toEqual([
    says("The port accepts connections and closes them without a byte", { cause: "closed" }),
  ]);
});

it("judges the silence of what has accepted the connection", () => {
  const listeners = waiting(0, NOW - 30 * SECOND);
  expect(judged({ xray: mute({}), listeners })).toHaveLength(1);
});

it.each<[string, Facts["xray"], object]>([
  [
    "HTTP/1 answers the preface",
    reportOf({ sniff: { found: "http1" } }),
    says("The port answers in HTTP/1", { cause: "http1" }),
  ],
  [
    "HTTP/1 answers behind TLS that we spoke",
    reportOf({ spoke: "tls", phase: "tls", sniff: { found: "http1" } }, true),
    says("The port answers in HTTP/1", { cause: "http1" }),
  ],
  [
    "other bytes answer",
    reportOf({ sniff: { found: "other", firstOctets: "4a" } }),
    says("The port answers in another protocol", { cause: "other-protocol", firstOctets: "4a" }),
  ],
  [
    "nothing is said for the limit",
    mute({ http2: settingsTimeout }),
    says("The port accepts connections and says nothing", { cause: "mute" }),
  ],
  [
    "nothing is said, and nobody timed it",
    mute({}),
    says("The port accepts connections and says nothing", { cause: "mute" }),
  ],
  [
    "it closes without a byte, however fast",
    reportOf({ silence: "closed", phaseMs: { http2: 1 } }),
    says("The port accepts connections and closes them without a byte", { cause: "closed" }),
  ],
  [
    "it closes though we sent the certificate that it wants",
    reportOf({
      silence: "closed",
      tls: someTls({ clientCertificateAsked: true, clientCertificateSent: true }),
    }),
    says("The port accepts connections and closes them without a byte", { cause: "closed" }),
  ],
  [
    "a proxy answers 400 that asked for no certificate",
    answer({ httpStatus: 400, bodyStart: "The SSL certificate error" }, { tls: someTls() }),
    says("The port answers a gRPC call with an HTTP error: 400", {
      cause: "http-status",
      path,
      httpStatus: 400,
      bodyStart: "The SSL certificate error",
    }),
  ],
  [
    "it closes and asked for no certificate",
    reportOf({ silence: "closed", tls: someTls() }),
    says("The port accepts connections and closes them without a byte", { cause: "closed" }),
  ],
  [
    "a route is missing",
    answer({ httpStatus: 404, serverHeader: "nginx", contentType: "text/html" }),
    says("The port answers a gRPC call with an HTTP error: 404", {
      cause: "http-status",
      path,
      httpStatus: 404,
      contentType: "text/html",
      serverHeader: "nginx",
    }),
  ],
  [
    "a page answers",
    answer({ ...page, bodyStart: "<html>", decodedSize: "<htm" }),
    says("The port answers a gRPC call with something else: text/html", {
      cause: "content-type",
      path,
      ...page,
      bodyStart: "<html>",
      decodedSize: "<htm",
    }),
  ],
  [
    "a page answers with a gRPC status",
    answer({ ...page, grpcStatus: 0 }),
    says("The port answers a gRPC call with something else: text/html", {
      cause: "content-type",
      path,
      ...page,
    }),
  ],
  [
    "the answer ends without a status",
    answer(bare),
    says("The port answers a gRPC call without a gRPC status", {
      cause: "no-grpc-status",
      path,
      ...bare,
    }),
  ],
  [
    "the answer has neither type nor status",
    answer({ httpStatus: 200 }, { reason: undefined }),
    says("The port answers a gRPC call without a gRPC status", {
      cause: "no-grpc-status",
      path,
      httpStatus: 200,
    }),
  ],
])("reports it when %s", (_when, xray, expected) => {
  expect(judged({ xray })).toEqual([expected]);
});

it.each([401, 403])("judges HTTP %d once we have credentials", (httpStatus) => {
  const change = {
    xray: answer({ httpStatus }),
    expectation: anExpectation({ hasCredentials: true }),
  };
  expect(judged(change)).toEqual([
    says(`The port answers a gRPC call with an HTTP error: ${httpStatus}`, {
      cause: "http-status",
      path,
      httpStatus,
    }),
  ]);
});

it.each([502, 503, 504])("holds HTTP %d for 10 s: a rollout passes", (httpStatus) => {
  const xray = { ...answer({ httpStatus }), lastPassedAt: NOW - MINUTE };
  expect(judged({ xray })?.map(({ holdMs }) => holdMs)).toEqual([10_000]);
});

const PAGE_503: Change<XrayReport> = {
  phase: "rpc",
  reason: "not_grpc",
  settings: {},
  rpc: { path, httpStatus: 503 },
};

describe.each<[string, Change<XrayReport>]>([
  ["a proxy of HTTP", PAGE_503],
  ["a proxy of TCP that waits", { silence: "mute", phaseMs: {} }],
  ["a proxy of TCP that closes", { silence: "closed" }],
])("beside %s whose app was never there", (_what, report) => {
  const neverThere = (sinceMs: number, change = report) => {
    const xray = reportOf(change, change === PAGE_503);
    return {
      xray: { ...xray, same: { ...xray.same, since: NOW - sinceMs } },
      expectation: anExpectation(),
    };
  };

  it.each([0, 45 * SECOND, 60 * SECOND])("waits for %d ms", (sinceMs) => {
    expect(judged(neverThere(sinceMs))).toBeUndefined();
  });

  // Undefined is the severity of the code: critical.
  it.each<[string, Partial<Facts>, string | undefined]>([
    ["an information while it may start", neverThere(61 * SECOND), "info"],
    ["critical once its time is over", neverThere(601 * SECOND), undefined],
    [
      "critical where no time is granted",
      { ...neverThere(30 * SECOND), expectation: anExpectation({ startupMs: 0 }) },
      undefined,
    ],
    [
      "critical for an upstream",
      { ...neverThere(30 * SECOND), expectation: anUpstreamExpectation() },
      undefined,
    ],
    [
      "critical for a page in its place",
      neverThere(30 * SECOND, { ...PAGE_503, rpc: { path, httpStatus: 404 } }),
      undefined,
    ],
    [
      "critical for another protocol",
      neverThere(30 * SECOND, { sniff: { found: "other" } }),
      undefined,
    ],
  ])("is %s", (_when, change, severity) => {
    expect(judged(change)?.map((told) => told.severity)).toEqual([severity]);
  });
});

it.each(["http2", "tcp"] as const)(
  "informs of a port that wants a balancer's header: %s",
  (phase) => {
    const xray = reportOf({ phase, sniff: { found: "proxy-header" } });
    expect(judged({ xray })).toEqual([
      {
        ...says(
          "The port takes only connections with a PROXY protocol header, as a balancer sends it and the agent does not",
          { cause: "proxy-header" },
        ),
        severity: "info",
      },
    ]);
  },
);

it("reports bytes even while its own timing cannot be trusted", () => {
  expect(judged({}, false)).toEqual([symptom]);
});

it("reads what it declares", () => {
  expect(factsRead(notGrpc)).toEqual(factsDeclared(notGrpc));
});
