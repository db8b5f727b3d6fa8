import { describe, expect, it } from "vitest";
import { probeFailing } from "../../src/detectors/probe-failing.ts";
import type { ServiceHealth } from "../../src/model/facts/health.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ProbeHistory, ProbeRun } from "../../src/model/facts/probes.ts";
import type { Evidence } from "../../src/model/finding.ts";
import {
  aCallPoll,
  anExpectation,
  anXray,
  anXrayReport,
  aProbeHistory,
  aProbeRun,
  aServerCalls,
  aServiceHealth,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  SECOND,
  series,
  someAppCalls,
  someHealth,
  someProbes,
} from "../support/snapshot.ts";

type RunChange = NonNullable<Parameters<typeof aProbeRun>[0]>;

const bad: RunChange = {
  outcome: "failed",
  phase: "rpc",
  reason: "status",
  status: "INTERNAL",
  statusText: "oops",
  ms: 12.4,
};
const good: RunChange = {};

/** Runs, 30 s apart; the last one is of now. */
const runs = (...changes: readonly RunChange[]): readonly ProbeRun[] =>
  series(changes.length, 30 * SECOND, (at, index) => aProbeRun({ at, ...changes[index] }));

function judged(
  changes: readonly RunChange[],
  history: Partial<ProbeHistory> | { readonly everyMs: undefined } = {},
  facts: Partial<Facts> = {},
) {
  const lastOkAt = NOW - 5 * MINUTE;
  const probe = aProbeHistory({ runs: runs(...changes), lastOkAt, ...history });
  return judge(probeFailing, {
    probes: someProbes({ probes: { "get-order": probe } }),
    expectation: anExpectation(),
    ...facts,
  });
}

it("suspects the probe of which one look saw no more than a failed run", () => {
  const expectation = anExpectation({ startupMs: 0 });
  expect(judged([{}], {}, { expectation })).toEqual([]);
  expect(judged([bad], {}, { expectation })).toMatchObject([
    { subject: { probe: "get-order" }, isSuspicion: true, holdMs: 10 * MINUTE },
  ]);
});

const symptom = {
  subject: { probe: "get-order" },
  severity: "warning",
  witnesses: ["probe"],
  summary:
    "Probe get-order failed 2 times in a row: order.OrderService/GetOrder, phase rpc, INTERNAL after 12 ms",
  remedy:
    "Run `kubectl exec POD -c grpc-doctor -- grpc-doctor probe get-order` (outside a pod: with --config FILE) to see each phase; the phase and reason name the layer to look at.",
  evidence: {
    method: "order.OrderService/GetOrder",
    phase: "rpc",
    reason: "status",
    status: "INTERNAL",
    statusText: "oops",
    probeMs: 12.4,
    deadlineMs: 500,
    connection: "kept",
    lastOkAt: "2026-01-15T11:55:00.000Z",
    failures: 2,
  },
  beganAt: NOW - 30 * SECOND,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
};

describe("is silent about", () => {
  const denied: RunChange = { ...bad, status: "PERMISSION_DENIED" };

  it.each<[string, readonly RunChange[], Partial<ProbeHistory>]>([
    ["runs that pass", [good, good], {}],
    ["one failure", [good, bad], {}],
    ["failures before the newest pass", [bad, bad, good], {}],
    ["failures that a pass parts", [bad, good, bad], {}],
    ["what the server will not do", [bad, bad, { outcome: "unsupported" }], {}],
    [
      "a missed objective",
      [
        { ...bad, reason: "latency" },
        { ...bad, reason: "latency" },
      ],
      {},
    ],
    [
      "runs that failed by our fault",
      [
        { ...bad, reason: "agent" },
        { ...bad, reason: "agent" },
      ],
      {},
    ],
    [
      "deadlines while we were slow ourselves",
      [
        { ...bad, reason: "deadline", isSuspect: true },
        { ...bad, reason: "deadline", isSuspect: true },
      ],
      {},
    ],
    ["an agent without credentials", [denied, denied], {}],
    [
      "an agent that is not authenticated",
      [
        { ...bad, status: "UNAUTHENTICATED" },
        { ...bad, status: "UNAUTHENTICATED" },
      ],
      {},
    ],
    [
      "a client certificate that the agent was not given",
      [
        { ...bad, reason: "client_certificate_required" },
        { ...bad, reason: "client_certificate_required" },
      ],
      {},
    ],
    [
      "a credential that cannot be read",
      [
        { ...bad, reason: "credentials" },
        { ...bad, reason: "credentials" },
      ],
      {},
    ],
  ])("%s", (_what, changes, history) => {
    expect(judged(changes, history)).toEqual([]);
  });

  it("nothing that it does not know", () => {
    expect(judge(probeFailing, { expectation: anExpectation() })).toBeUndefined();
  });
});

describe("speaks", () => {
  it("of two failures in a row, with phase and reason", () => {
    expect(judged([good, bad, bad])).toEqual([symptom]);
  });

  it("of the unbroken run, since its first failure", () => {
    const [found] =
      judged([bad, good, bad, { ...bad, isSuspect: true, reason: "dns_timeout" }, bad]) ?? [];
    expect([found?.evidence["failures"], found?.beganAt]).toEqual([2, NOW - MINUTE]);
  });

  it("of facts that we saw while we were slow", () => {
    expect(
      judged([
        { ...bad, isSuspect: true },
        { ...bad, isSuspect: true },
      ]),
    ).toHaveLength(1);
  });

  it.each<[string, Partial<ProbeHistory> | { readonly everyMs: undefined }, number]>([
    ["every 5 min", { everyMs: 5 * MINUTE }, 1],
    ["by cron", { everyMs: undefined }, 1],
    ["more often", { everyMs: 5 * MINUTE - 1 }, 0],
  ])("of the first failure only for a probe that runs seldom: %s", (_when, history, count) => {
    expect(judged([good, bad], history)).toHaveLength(count);
  });

  it("of a denial, if it has credentials", () => {
    const denied: RunChange = { ...bad, status: "PERMISSION_DENIED" };
    expect(judged([denied, denied], { hasCredentials: true })).toHaveLength(1);
    const expectation = anExpectation({ hasClientCertificate: true });
    const rejected: RunChange = { ...bad, reason: "client_certificate_required" };
    expect(judged([rejected, rejected], {}, { expectation })).toHaveLength(1);
  });

  it.each<[string, RunChange, string]>([
    [
      "a deadline",
      { reason: "deadline", status: "DEADLINE_EXCEEDED" },
      "phase rpc, no answer within its deadline of 500 ms",
    ],
    [
      "an assertion",
      { phase: "assert", status: "OK", assertion: "response.price > 0.0", ms: 3 },
      "phase assert, response.price > 0.0 after 3 ms",
    ],
    [
      "a reason without status",
      { phase: "tcp", reason: "refused", status: undefined },
      "phase tcp, refused after 12 ms",
    ],
  ])("in words about %s", (_what, change, words) => {
    const run = { ...bad, ...change };
    expect(judged([run, run])?.map(({ summary }) => summary)).toEqual([
      `Probe get-order failed 2 times in a row: order.OrderService/GetOrder, ${words}`,
    ]);
  });

  it("and says whether the agent's other client passes", () => {
    const xray = anXray();
    expect(judged([bad, bad], {}, { xray })?.[0]?.evidence["otherClientPasses"]).toBe(true);
  });
});

describe("is critical", () => {
  const failed = (at: number) => anXray({ latest: anXrayReport({ at, outcome: "failed" }) });
  const severity = (facts: Partial<Facts>, count = 3) =>
    judged(
      Array.from({ length: count }, () => bad),
      {},
      facts,
    )?.map((found) => [found.severity, found.witnesses]);
  const metrics = (faults: number) =>
    someAppCalls({
      scrapes: series(6, 15 * SECOND, (at, index) => ({
        at,
        handledByCode: { OK: (10 - faults) * index, INTERNAL: faults * index },
      })),
    });
  const channelz = (faults: number, all = 10) =>
    aServerCalls({
      polls: series(7, 10 * SECOND, (at, index) =>
        aCallPoll({ at, succeeded: (all - faults) * index, failed: faults * index }),
      ),
    });

  it.each<[string, Partial<Facts>, string]>([
    ["the preflight", { xray: failed(NOW - MINUTE) }, "preflight"],
    [
      "health",
      { health: someHealth({ services: { "": aServiceHealth({ status: "NOT_SERVING" }) } }) },
      "health",
    ],
    ["the app's metrics", { appCalls: metrics(5) }, "metrics"],
    ["channelz", { serverCalls: channelz(5) }, "channelz"],
  ])("after three failures when %s agrees", (_who, facts, witness) => {
    expect(severity(facts)).toEqual([["critical", ["probe", witness]]]);
    expect(severity(facts, 2)?.map(([name]) => name)).toEqual(["warning"]);
  });

  it.each<[string, Partial<Facts>]>([
    ["nobody", {}],
    ["a preflight that failed before it began", { xray: failed(NOW - MINUTE - 1) }],
    ["a preflight that passed", { xray: anXray() }],
    ["health that serves", { health: someHealth() }],
    ["metrics of which most calls are good", { appCalls: metrics(4) }],
    ["channelz of which most calls are good", { serverCalls: channelz(4) }],
    ["too few calls", { serverCalls: channelz(1, 1) }],
  ])("not by %s", (_who, facts) => {
    expect(severity(facts)).toEqual([["warning", ["probe"]]]);
  });
});

describe("is explained", () => {
  const late = { phase: "rpc", reason: "deadline", status: "DEADLINE_EXCEEDED" };
  const unavailable = { phase: "rpc", reason: "status", status: "UNAVAILABLE" };
  const internal = { phase: "rpc", reason: "status", status: "INTERNAL" };
  const notFound = { phase: "rpc", reason: "status", status: "NOT_FOUND" };
  const denied = { phase: "rpc", reason: "status", status: "PERMISSION_DENIED" };
  const inHandshake = { phase: "tls", reason: "certificate_expired", status: "UNAVAILABLE" };
  const unexpected = { phase: "assert", reason: "assertion", status: "OK" };

  it.each<[string, string, Evidence]>([
    ["deadline-storm", "another error", internal],
    ["deadline-storm", "an answer that came", unexpected],
    ["tls-cert-expired", "an answer that came", unexpected],
    ["connection-refused", "an answer that came", unexpected],
    ["stream-exhaustion", "a handler's word", notFound],
    ["stream-exhaustion", "a handshake", inHandshake],
    ["in-flight-buildup", "a handler's word", notFound],
    ["error-burst", "an answer that came", unexpected],
    ["error-burst", "a caller's mistake", notFound],
    ["tls-untrusted-issuer", "a caller's mistake", notFound],
    ["app-frozen", "a refusal by a handler", denied],
  ])("not by %s, for it is %s", (code, _what, evidence) => {
    expect(probeFailing.explainedBy({ code, subject: {}, evidence: {} }, evidence, {})).toBe(false);
  });

  it.each<[string, string, Evidence]>([
    ["deadline-storm", "a deadline", late],
    ["stream-exhaustion", "a deadline", late],
    ["app-frozen", "a deadline", late],
    ["tls-cert-expired", "a handshake", inHandshake],
    ["connection-refused", "no connection", { phase: "tcp", reason: "refused" }],
    ["connection-refused", "a call that lost its connection", unavailable],
    ["in-flight-buildup", "a full server", { ...notFound, status: "RESOURCE_EXHAUSTED" }],
    ["not-grpc", "whatever an HTTP status becomes", denied],
    ["error-burst", "the server's own error", internal],
    ["dns-stale", "another server's answer", unexpected],
  ])("by %s, for it is %s", (code, _what, evidence) => {
    expect(probeFailing.explainedBy({ code, subject: {}, evidence: {} }, evidence, {})).toBe(true);
  });
});

it.each<[string, boolean, Record<string, string>]>([
  ["auth-rejected", true, { method: "a.B/C", status: "PERMISSION_DENIED" }],
  ["auth-rejected", false, { method: "a.B/C", status: "INTERNAL" }],
  ["unimplemented-calls", true, { method: "a.B/C", status: "UNIMPLEMENTED" }],
  ["unimplemented-calls", false, { method: "a.B/D", status: "UNIMPLEMENTED" }],
  ["unimplemented-calls", false, { method: "a.B/C", status: "INTERNAL" }],
  ["compression-unsupported", true, { method: "a.B/C", status: "INTERNAL" }],
  ["compression-unsupported", false, { method: "a.B/D", status: "INTERNAL" }],
  ["message-too-large", true, { method: "a.B/C", status: "RESOURCE_EXHAUSTED" }],
  ["message-too-large", false, { method: "a.B/C", status: "UNAVAILABLE" }],
  ["contract-drift", true, { method: "a.B/C", status: "INTERNAL" }],
  ["contract-drift", true, { method: "a.B/C", status: "OK", phase: "assert" }],
  ["contract-drift", true, { method: "a.B/C", reason: "malformed_reply" }],
  ["contract-drift", false, { method: "a.B/D", status: "INTERNAL" }],
  ["contract-drift", false, { method: "a.B/C", status: "UNAVAILABLE" }],
])(
  "is explained, as far as it fits its method and status, by %s: %s, of %j",
  (code, isExplained, evidence) => {
    const cause = { code, subject: { method: "a.B/C" }, evidence: {} };
    expect(probeFailing.explainedBy(cause, evidence, {})).toBe(isExplained);
  },
);

describe("while the server declares that it has not come up", () => {
  const health = (change: Change<ServiceHealth>) => ({
    health: someHealth({
      services: { "": aServiceHealth({ status: "NOT_SERVING", everServing: false, ...change }) },
    }),
  });
  const told = (change: Change<ServiceHealth>, startupMs = 10 * MINUTE) =>
    judged([bad, bad], {}, { ...health(change), expectation: anExpectation({ startupMs }) })
      ?.length;

  it("does not judge it", () => {
    expect(told({ sinceAt: NOW - 10 * MINUTE + 1 })).toBeUndefined();
  });

  it("judges it once its time is over, where none is granted, and where it has served", () => {
    const sinceAt = NOW - 10 * MINUTE;
    const lately = NOW - MINUTE;
    expect([
      told({ sinceAt }),
      told({ sinceAt: lately }, 0),
      told({ sinceAt: lately, everServing: true }),
    ]).toEqual([1, 1, 1]);
  });
});

it.each([
  ["that is refused", { failures: 2 }, { probe: "get" }, true],
  ["that is near its limit only", {}, { probe: "get" }, false],
  ["of another probe", { failures: 2 }, { probe: "add" }, false],
])("is explained by metadata %s", (_what, evidence, subject, isExplained) => {
  const cause = { code: "metadata-too-large", subject: { probe: "get" }, evidence };
  const failure = { status: "RESOURCE_EXHAUSTED" };
  expect(probeFailing.explainedBy(cause, failure, subject)).toBe(isExplained);
});

it("waits until its causes were looked at", () => {
  expect(probeFailing.waitsForCauses).toBe(true);
  expect(probeFailing.causes.map(({ code }) => code)).toEqual([
    "dns-failing",
    "connection-refused",
    "connect-blackholed",
    "app-frozen",
    "accept-queue-overflow",
    "fd-exhaustion",
    "tls-plaintext-mismatch",
    "tls-version-mismatch",
    "tls-client-cert-rejected",
    "tls-cert-expired",
    "tls-cert-not-yet-valid",
    "tls-san-mismatch",
    "tls-untrusted-issuer",
    "tls-alpn-missing",
    "not-grpc",
    "dns-stale",
    "connection-churn",
    "metadata-too-large",
    "stream-exhaustion",
    "streams-refused",
    "compression-unsupported",
    "contract-drift",
    "unimplemented-calls",
    "auth-rejected",
    "message-too-large",
    "deadline-storm",
    "error-burst",
    "in-flight-buildup",
  ]);
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(probeFailing)).toEqual(factsDeclared(probeFailing));
});

it("counts the failures beyond the runs that are kept, unless one of those is another's fault", () => {
  const late: RunChange = { outcome: "failed", phase: "assert", reason: "latency" };
  const row = Array.from({ length: 19 }, () => bad);
  const count = (first: RunChange) =>
    judged([first, ...row], { failedInRow: 92 })?.map(({ summary, evidence }) => [
      summary.slice(0, "Probe get-order failed 92 times".length),
      evidence["failures"],
    ]);
  expect(count(late)).toEqual([["Probe get-order failed 19 times", 19]]);
  expect(count(bad)).toEqual([["Probe get-order failed 92 times", 92]]);
});
