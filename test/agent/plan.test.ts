import { describe, expect, it } from "vitest";
import { plan, planOneLook } from "../../src/agent/plan.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ReachRun } from "../../src/model/facts/reach.ts";
import type { FindingsReport } from "../../src/model/finding.ts";
import type { Job } from "../../src/model/job.ts";
import type { ProbeSpec } from "../../src/model/probe-spec.ts";
import type { Settings } from "../../src/model/settings.ts";
import type { TargetSnapshot } from "../../src/model/snapshot.ts";
import type { Target } from "../../src/model/target.ts";
import type { LookAt, XrayReport } from "../../src/model/xray.ts";
import { aFinding } from "../sinks/values.ts";
import {
  aCallPoll,
  aDial,
  aKept,
  aListeners,
  aListenRow,
  anAcceptRead,
  anXray,
  anXrayReport,
  aProbeHistory,
  aProbeRun,
  aReach,
  aRefusedDial,
  aResolution,
  aSeenAddress,
  aServerCalls,
  aSnapshot,
  aSocketReading,
  aTargetSnapshot,
  knownFacts,
  NOW,
  SECOND,
  someServices,
  someSockets,
  someSurroundings,
  someTls,
} from "../support/snapshot.ts";

const app: Target = {
  name: "app",
  role: "app",
  address: "localhost:50051",
  endpoint: { kind: "name", host: "localhost", port: 50051 },
  metadata: [],
  health: { services: [""], expect: "SERVING" },
  channelz: { everyMs: 10 * SECOND },
  startupMs: 600 * SECOND,
};

const inventory: Target = {
  ...app,
  name: "inventory",
  role: "upstream",
  address: "dns:///inventory.shop.svc:50051",
  endpoint: { kind: "name", host: "inventory.shop.svc", port: 50051 },
};

const getOrder: ProbeSpec = {
  name: "get-order",
  target: "app",
  method: "order.OrderService/GetOrder",
  requests: [{ id: "order-1" }],
  schedule: { everyMs: 30 * SECOND },
  deadlineMs: 500,
  connection: "kept",
  compression: "identity",
  metadata: [],
  expect: { status: "OK", that: [] },
};

const settings: Settings = {
  listen: { port: 19464 },
  admin: { host: "127.0.0.1", port: 19465 },
  log: { level: "info", format: "json" },
  targets: [app],
  probes: [],
  findings: {},
  ignore: [],
};

const nothing: FindingsReport = {
  generatedAt: NOW,
  targets: [],
  active: [],
  pending: [],
  recent: [],
  suppressed: [],
  unjudged: [],
  capabilities: [],
};

interface Situation {
  readonly settings?: Partial<Settings>;
  readonly facts?: Partial<Facts>;
  readonly known?: Partial<TargetSnapshot>;
  readonly report?: Partial<FindingsReport>;
}

function planned(situation: Situation = {}): readonly Job[] {
  const target = aTargetSnapshot({ facts: knownFacts(situation.facts ?? {}), ...situation.known });
  const targets = { app: target, inventory: target };
  const report = { ...nothing, ...situation.report };
  return plan({ ...settings, ...situation.settings }, aSnapshot({ targets }), report);
}

function job(key: string, situation: Situation = {}): Job | undefined {
  return planned(situation).find((candidate) => candidate.key === key);
}

const keys = (situation: Situation) => planned(situation).map((candidate) => candidate.key);
const every = (seconds: number) => ({ kind: "every", ms: seconds * SECOND });
const confirmed = { since: NOW - 30 * SECOND, lastAt: NOW - SECOND, count: 2 };

it.each<[string, Situation, readonly string[]]>([
  [
    "everything for a watched app",
    {},
    [
      "kernel",
      "preflight/app",
      "health/watch/app/",
      "health/poll/app",
      "health/discover/app",
      "channelz/app",
    ],
  ],
  [
    "nothing but dials for one that waits",
    { known: { state: "waiting" } },
    ["kernel", "preflight/app"],
  ],
  ["nothing but the kernel in a drain", { known: { state: "draining" } }, ["kernel"]],
  [
    "a fresh look at what listens on after a GOAWAY",
    { known: { state: "draining", mayServe: true } },
    ["kernel", "preflight/app"],
  ],
  [
    "names only of an upstream",
    { settings: { targets: [inventory] }, known: { state: "waiting" } },
    ["kernel", "preflight/inventory", "dns/inventory"],
  ],
  ["nothing without targets", { settings: { targets: [] } }, []],
])("plans %s", (_what, situation, want) => {
  expect(keys(situation)).toEqual(want);
});

it("plans what is configured besides", () => {
  const target: Target = {
    ...app,
    metrics: "http://localhost:9090/metrics",
    tls: { mode: "tls", servedFrom: "/certs/tls.crt" },
  };
  const situation = { settings: { targets: [target], probes: [getOrder] } };
  expect(keys(situation)).toEqual(
    expect.arrayContaining(["probe/get-order", "metrics/app", "files/app"]),
  );
});

const missing = (since: number, part?: string): Situation => ({
  known: {
    capabilities: [
      { source: "health", available: false, since, ...(part === undefined ? {} : { part }) },
    ],
  },
});

it.each<[string, Situation, boolean]>([
  ["health can be asked", {}, true],
  ["health is unimplemented", missing(NOW - SECOND), false],
  ["Watch is unimplemented", missing(NOW - SECOND, "Watch"), false],
  ["List is unimplemented", missing(NOW - SECOND, "List"), true],
  ["health was unimplemented an hour ago", missing(NOW - 3600 * SECOND), true],
])("watches, or does not, when %s", (_when, situation, isWatched) => {
  expect(keys(situation).includes("health/watch/app/")).toBe(isWatched);
});

it.each([
  [1, 0],
  [2, 1],
  [7, 3],
  [100, 10],
])("of %i streams of a connection it keeps %i open to watch", (allowed, kept) => {
  const health = Array.from({ length: 12 }, (_, index) => `service-${index}`);
  const xray = anXray({ lastSettings: { maxConcurrentStreams: allowed } });
  const planned = keys({ facts: { services: someServices({ health }), xray } });
  expect(planned.filter((key) => key.startsWith("health/watch/"))).toHaveLength(kept);
});

it("watches ten services at most, configured names first", () => {
  const health = Array.from({ length: 20 }, (_, index) => `listed.Service${index}`);
  const watches = keys({ facts: { services: someServices({ health }) } }).filter((key) =>
    key.startsWith("health/watch/"),
  );
  expect(watches).toHaveLength(10);
  expect(watches[0]).toBe("health/watch/app/");
});

const failedXray = anXray({ latest: anXrayReport({ outcome: "failed" }) });
it.each<[string, Situation, number]>([
  ["nothing is wrong", {}, 15],
  ["something is pending", { report: { pending: [pending("app")] } }, 5],
  ["a finding is active", { report: { active: [pending("app")] } }, 5],
  ["a finding is active elsewhere", { report: { active: [pending("other")] } }, 15],
  [
    "connections queue",
    { facts: { listeners: aListeners({ reads: [anAcceptRead({ queued: 1 })] }) } },
    5,
  ],
  ["a call has no reply", { facts: { kept: aKept({ silentInRow: 1 }) } }, 5],
  ["the app drains", { known: { state: "draining" } }, 0.5],
  ["the X-ray fails", { facts: { xray: failedXray } }, 5],
  ["a read costs 9 ms", { facts: { surroundings: someSurroundings({ readCostMs: 9 }) } }, 18],
  [
    "the X-ray fails and a read costs 4 ms",
    { facts: { xray: failedXray, surroundings: someSurroundings({ readCostMs: 4 }) } },
    8,
  ],
  [
    "the X-ray fails and a read costs 40 ms",
    { facts: { xray: failedXray, surroundings: someSurroundings({ readCostMs: 40 }) } },
    15,
  ],
])("reads the kernel's table at its pace when %s", (_when, situation, seconds) => {
  expect(job("kernel", situation)?.cadence).toEqual({ ...every(seconds), keepsDistance: true });
});

function pending(target: string): FindingsReport["pending"][number] {
  return {
    code: "not-grpc",
    severity: "critical",
    target,
    subject: {},
    summary: "",
    evidence: {},
    changed: [],
    remedy: "",
    docs: "",
    firstSeen: NOW - SECOND,
    lastSeen: NOW,
    count: 1,
    consequences: [],
    witnesses: ["preflight"],
    activeInSeconds: 9,
  };
}

const xray = (same: Facts["xray"]["same"], report = anXrayReport()): Partial<Facts> => ({
  xray: anXray({ latest: report, same }),
});

const refused = anXrayReport({ outcome: "failed", phase: "tcp" });
const refusedFor = (ms: number, seenMs: number) =>
  aReach({ failing: { since: NOW - ms, lastAt: NOW - ms + seenMs, rounds: 3 } });

/** Of a call that took 2 s and ended so long ago. */
const silentCall = (secondsAgo: number) =>
  ({ at: NOW - secondsAgo * SECOND, outcome: "silent", ms: 2 * SECOND }) as const;
const mute = anXrayReport({ outcome: "failed", phase: "http2", silence: "mute" });
const muteFor = (agoMs: number, count: number): Situation => ({
  facts: xray({ since: NOW - 6 * SECOND, lastAt: NOW - agoMs, count }, mute),
});

it.each<[string, Situation, string | undefined]>([
  ["the last result was seen twice", { facts: xray(confirmed) }, undefined],
  ["nothing was seen yet", {}, "first"],
  [
    "nothing was seen yet of an upstream",
    { settings: { targets: [{ ...app, role: "upstream" }] } },
    undefined,
  ],
  [
    "it has been refused for five seconds, and not been looked at since",
    { facts: { ...xray(confirmed), reach: refusedFor(5 * SECOND, 4 * SECOND) } },
    `restart@${NOW - 5 * SECOND}`,
  ],
  [
    "it has been refused for less",
    { facts: { ...xray(confirmed), reach: refusedFor(5 * SECOND - 1, 4 * SECOND) } },
    undefined,
  ],
  [
    "it was seen to refuse after five seconds",
    { facts: { ...xray(confirmed), reach: refusedFor(6 * SECOND, 5 * SECOND) } },
    undefined,
  ],
  [
    "a result was seen once, less than 1.1 s ago",
    { facts: xray({ since: NOW - 1_099, lastAt: NOW - 1_099, count: 1 }, refused) },
    undefined,
  ],
  [
    "a result was seen once, a second ago",
    { facts: xray({ since: NOW - 1_100, lastAt: NOW - 1_100, count: 1 }, refused) },
    `confirm@${Math.floor((NOW - 1_100) / 10_000)} failed`,
  ],
  [
    "a mute server was seen twice, the last time a second ago",
    muteFor(1_100, 2),
    `mute@${NOW - 6 * SECOND}`,
  ],
  ["it was seen twice, the last time less than 1.1 s ago", muteFor(1_099, 2), undefined],
  ["it was seen three times", muteFor(1_100, 3), undefined],
  [
    "a handshake was seen once, a second ago",
    {
      facts: xray(
        { since: NOW - 1_100, lastAt: NOW - 1_100, count: 1 },
        anXrayReport({ tls: someTls() }),
      ),
    },
    `confirm@${Math.floor((NOW - 1_100) / 10_000)}`,
  ],
  [
    "a plaintext server passed once, a second ago",
    { facts: xray({ since: NOW - 1_100, lastAt: NOW - 1_100, count: 1 }) },
    undefined,
  ],
  [
    "two calls over the kept connection had no reply since",
    {
      facts: {
        ...xray(confirmed, anXrayReport({ at: NOW - 20 * SECOND })),
        kept: aKept({ replies: [silentCall(10), silentCall(5)], silentInRow: 2 }),
      },
    },
    `silent@${NOW - 12 * SECOND}`,
  ],
  [
    "two calls had no reply, and it came after the first",
    {
      facts: {
        ...xray(confirmed, anXrayReport({ at: NOW - 11 * SECOND })),
        kept: aKept({ replies: [silentCall(10), silentCall(5)], silentInRow: 2 }),
      },
    },
    undefined,
  ],
  [
    "one call had no reply",
    {
      facts: {
        ...xray(confirmed, anXrayReport({ at: NOW - 20 * SECOND })),
        kept: aKept({ replies: [silentCall(5)], silentInRow: 1 }),
      },
    },
    undefined,
  ],
  [
    "the kept connection was lost after it",
    {
      facts: {
        ...xray(confirmed, anXrayReport({ at: NOW - 2 * SECOND })),
        kept: aKept({ state: "closed", since: NOW - SECOND, closedBy: "rst" }),
      },
    },
    `lost@${NOW - SECOND}`,
  ],
  [
    "we closed the kept connection",
    {
      facts: {
        ...xray(confirmed, anXrayReport({ at: NOW - 2 * SECOND })),
        kept: aKept({ state: "closed", since: NOW - SECOND, closedBy: "us" }),
      },
    },
    undefined,
  ],
  [
    "a symptom is pending",
    { facts: xray(confirmed), report: { pending: [pending("app")] } },
    `not-grpc@${NOW - SECOND}`,
  ],
])("looks again at once, or not, when %s", (_when, situation, key) => {
  expect(job("preflight/app", situation)?.urgency?.key).toBe(key);
});

it.each<[string, Situation, number]>([
  ["it passed", { facts: xray(confirmed) }, 30],
  [
    "it failed in tls",
    { facts: xray(confirmed, anXrayReport({ outcome: "failed", phase: "tls" })) },
    30,
  ],
  [
    "it was refused",
    { facts: xray(confirmed, anXrayReport({ outcome: "failed", phase: "tcp" })) },
    5,
  ],
])("takes the X-ray at its pace when %s", (_when, situation, seconds) => {
  expect(job("preflight/app", situation)?.cadence).toEqual(every(seconds));
});

const report = (change: Parameters<typeof anXrayReport>[0]) =>
  xray(
    confirmed,
    anXrayReport({ outcome: "failed", spoke: "tls", settings: undefined, ...change }),
  );

it.each<[string, Situation["facts"], "plaintext" | "tls" | undefined]>([
  ["it passed", xray(confirmed, anXrayReport({ spoke: "plaintext" })), "plaintext"],
  ["it shook hands, and wants a certificate", report({ tls: someTls() }), "tls"],
  ["nothing showed what it speaks", report({ tls: undefined }), undefined],
])("begins with what the server has shown to speak when %s", (_when, facts, want) => {
  const planned = job("preflight/app", facts === undefined ? {} : { facts });
  expect(planned).toEqual(
    expect.objectContaining(want === undefined ? { label: "preflight" } : { lastSpoke: want }),
  );
  expect(Object.hasOwn(planned ?? {}, "lastSpoke")).toBe(want !== undefined);
});

it.each<[string, readonly string[], string | undefined]>([
  ["every row is on loopback", ["127.0.0.1", "::1"], "10.0.0.5"],
  ["one row is not", ["127.0.0.1", "10.0.0.5"], undefined],
  ["nothing listens", [], undefined],
])("dials the pod's address only when %s", (_when, addresses, want) => {
  const rows = addresses.map((address) => aListenRow({ address }));
  const surroundings = someSurroundings({ podAddress: "10.0.0.5" });
  const planned = job("preflight/app", {
    facts: { listeners: aListeners({ rows }), surroundings },
  });
  expect(planned).toEqual(
    expect.objectContaining({
      everyAddress: false,
      ...(want === undefined ? {} : { alsoDial: want }),
    }),
  );
  expect(Object.hasOwn(planned ?? {}, "alsoDial")).toBe(want !== undefined);
});

const used = aDial({ address: "10.0.0.9:50051", outcome: "connected" });
const down = aRefusedDial({ address: "10.0.0.8:50051" });
const lookedThrough = (change: Partial<XrayReport>) => ({
  xray: anXray({
    latest: anXrayReport({ addressCount: 6, tls: someTls(), dials: [used], ...change }),
    same: confirmed,
  }),
});
const isDown = (change: Partial<ReachRun>) => ({
  ...lookedThrough({ dials: [down, used] }),
  reach: aReach({
    runs: {
      "10.0.0.8:50051": { outcome: "refused", since: NOW, lastAt: NOW, count: 1, ...change },
    },
  }),
});
const again = { last: "10.0.0.9:50051", isNext: false, dialled: ["10.0.0.9:50051"] };
const both = { ...again, dialled: ["10.0.0.8:50051", "10.0.0.9:50051"] };
const pendingThere = { pending: [{ ...aFinding({ target: "inventory" }), activeInSeconds: 3 }] };
const lookAtOf = (situation: Situation) => {
  const found = job("preflight/inventory", { settings: { targets: [inventory] }, ...situation });
  return Object.entries(found ?? {}).find(([key]) => key === "lookAt")?.[1];
};

it.each<[string, Situation, LookAt | undefined]>([
  ["nothing was looked through", { facts: {} }, undefined],
  ["nothing connected", { facts: lookedThrough({ dials: [aRefusedDial()] }) }, undefined],
  ["it is no name", { facts: lookedThrough({ addressCount: undefined as never }) }, undefined],
  ["it is sick", { facts: lookedThrough({ outcome: "failed", phase: "tls" }) }, again],
  ["something is pending", { facts: lookedThrough({}), report: pendingThere }, again],
  ["one beside it failed once", { facts: isDown({}) }, both],
  [
    "one beside it fails for good",
    { facts: isDown({ count: 2, since: NOW - 5_000 }) },
    { ...both, isNext: true },
  ],
  ["it is well", { facts: lookedThrough({}) }, { ...again, isNext: true }],
  [
    "it is well, and speaks no TLS",
    { facts: lookedThrough({ tls: undefined as never }) },
    { ...again, isNext: true },
  ],
  [
    "it serves no health",
    { facts: lookedThrough({ outcome: "unsupported", phase: "rpc" }) },
    { ...again, isNext: true },
  ],
])(
  "goes on to the next address of a name only when one is well: %s",
  (_when, situation, wanted) => {
    expect(lookAtOf(situation)).toEqual(wanted);
  },
);

describe("an address at which something was found, and that takes nobody now,", () => {
  const insteadOf = "10.0.0.8:50051";
  const activeThere = { active: [aFinding({ target: "inventory" })] };
  const missedFor = (ms: number, change: Partial<XrayReport> = {}): Partial<Facts> => ({
    ...isDown({ count: 3, since: NOW - ms }),
    ...lookedThrough({ dials: [down, used], insteadOf, ...change }),
  });
  const paceOf = (situation: Situation) =>
    job("preflight/inventory", { settings: { targets: [inventory] }, ...situation })?.cadence;

  it.each<[string, Situation, LookAt]>([
    ["once nothing is open there", { facts: missedFor(5_000) }, { ...both, isNext: true }],
    ["never, where it takes us again", { facts: lookedThrough({}), report: activeThere }, again],
  ])("is given up %s", (_when, situation, wanted) => {
    expect(lookAtOf(situation)).toEqual(wanted);
  });

  it.each<[string, Partial<Facts>, readonly string[]]>([
    ["another address stands in for it", missedFor(5_000), both.dialled],
    [
      "no other one takes us either",
      missedFor(5_000, { outcome: "failed", phase: "tcp", dials: [down] }),
      [insteadOf],
    ],
  ])("is looked at again while %s", (_when, facts, dialled) => {
    const wanted = { last: insteadOf, isNext: false, dialled };
    expect(lookAtOf({ facts, report: activeThere })).toEqual(wanted);
  });

  it.each<[string, Situation, number]>([
    ["nothing is open there", { facts: missedFor(5_000) }, 30],
    ["it is gone for a minute", { facts: missedFor(60_000), report: activeThere }, 30],
    ["it is back", { facts: lookedThrough({}), report: activeThere }, 30],
    ["it went lately", { facts: missedFor(59_999), report: activeThere }, 10],
  ])("is looked for at the pace of %s", (_when, situation, seconds) => {
    expect(paceOf(situation)).toEqual(every(seconds));
  });
});

const seen = (looked: readonly string[], addressCount: number): Partial<Facts> => {
  const { xray } = lookedThrough({ addressCount });
  return { xray: { ...xray, looked } };
};
const texts = (count: number) => Array.from({ length: count }, (_, index) => `10.0.0.${index}:1`);

it.each<[string, Partial<Facts>, unknown]>([
  ["some were not looked at", seen(texts(2), 3), { key: "next@10.0.0.9:50051", withinMs: 0 }],
  ["all were", seen(texts(3), 3), undefined],
  ["sixteen of a thousand were", seen(texts(16), 1000), undefined],
])("hurries through the addresses of a name in one look: %s", (_when, facts, urgency) => {
  const targets = { inventory: aTargetSnapshot({ facts: knownFacts(facts) }) };
  const one = planOneLook(
    { ...settings, targets: [inventory] },
    aSnapshot({ targets }),
    nothing,
  ).find(({ source }) => source === "preflight");
  expect(one).toMatchObject({ everyAddress: true });
  expect(one?.urgency).toEqual(urgency);
  expect(job("preflight/inventory", { settings: { targets: [inventory] }, facts })?.urgency).toBe(
    undefined,
  );
});

const limited = (limit: number, inFlight: number): Partial<Facts> => ({
  xray: anXray({ lastSettings: { maxConcurrentStreams: limit } }),
  serverCalls: aServerCalls({ polls: [aCallPoll({ inFlight })] }),
  sockets: someSockets({
    polls: [
      {
        at: NOW,
        connections: 2,
        read: [aSocketReading({ id: 3, open: 1 }), aSocketReading({ id: 7, open: 9 })],
        lastInTurn: 5,
      },
    ],
  }),
});

it.each<[string, Partial<Facts>, Partial<Job>]>([
  ["no connection can be full", limited(100, 89), { cadence: { kind: "every", ms: 9_700 } }],
  ["one can", limited(100, 90), { cadence: { kind: "every", ms: 5_000 } }],
  ["there is no limit", limited(2 ** 31 - 1, 2 ** 31), { cadence: { kind: "every", ms: 9_700 } }],
])("polls channelz at its pace when %s", (_when, facts, want) => {
  expect(job("channelz/app", { facts })).toEqual(expect.objectContaining(want));
});

it.each([10, 20, 30, 60])("meets a call each %i s at every phase within ten minutes", (seconds) => {
  const cadence = job("channelz/app")?.cadence;
  const ms = cadence?.kind === "every" ? cadence.ms : Number.NaN;
  const phases = Array.from(
    { length: Math.floor(600_000 / ms) },
    (_, n) => (n * ms) % (seconds * SECOND),
  );
  const sorted = phases.toSorted((a, b) => a - b);
  const gaps = sorted.slice(1).map((phase, index) => phase - (sorted[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(seconds * 50);
});

it("reads the fullest sockets first, and the rest in turn, once one can be full", () => {
  expect(job("channelz/app", { facts: limited(10, 10) })).toEqual(
    expect.objectContaining({ socketBudget: 100, suspects: [7, 3], resumeAfter: 5 }),
  );
});

it("asks a server without channelz again after an hour", () => {
  const capabilities = [{ source: "channelz", available: false, since: NOW } as const];
  expect(job("channelz/app", { known: { capabilities } })?.cadence).toEqual(every(3600));
});

it.each<[string, Partial<Facts>, number]>([
  ["every address answers", { resolution: aResolution() }, 30],
  [
    "an address is missing",
    { resolution: aResolution({ seen: { "10.0.0.1": aSeenAddress({ missed: 1 }) } }) },
    5,
  ],
  [
    "an address has been gone for ten minutes",
    {
      resolution: aResolution({
        seen: { "10.0.0.1": aSeenAddress({ missed: 1, at: NOW - 600 * SECOND }) },
      }),
    },
    30,
  ],
  [
    "the lookup fails",
    {
      resolution: aResolution({
        failing: { since: NOW, lastAt: NOW, count: 1, cause: "nxdomain" },
      }),
    },
    5,
  ],
])("asks for the name at its pace when %s", (_when, facts, seconds) => {
  const situation = { settings: { targets: [inventory] }, facts };
  expect(job("dns/inventory", situation)?.cadence).toEqual(every(seconds));
});

const history = (outcome: "passed" | "failed"): Partial<Facts> => ({
  probes: { probes: { "get-order": aProbeHistory({ runs: [aProbeRun({ outcome })] }) } },
});

it.each<[string, Partial<Settings>, Partial<Facts>, number]>([
  ["tracing is off", {}, history("failed"), 0],
  ["it passed", { tracing: { ratio: 0.1 } }, history("passed"), 0.1],
  ["it failed", { tracing: { ratio: 0.1 } }, history("failed"), 1],
])("samples the next run of a probe when %s", (_when, more, facts, sampleRatio) => {
  const situation = { settings: { probes: [getOrder], ...more }, facts };
  expect(job("probe/get-order", situation)).toEqual(expect.objectContaining({ sampleRatio }));
});

it("counts the addresses of now and before as an upstream's", () => {
  const seen = { "10.0.0.1": aSeenAddress({ missed: 9 }), "10.0.0.9": aSeenAddress() };
  const situation = {
    settings: { targets: [inventory] },
    facts: { resolution: aResolution({ seen }) },
  };
  expect(job("kernel", situation)).toEqual(
    expect.objectContaining({
      interests: [
        {
          target: "inventory",
          role: "upstream",
          port: 50051,
          addresses: ["10.0.0.1", "10.0.0.9"],
          ownsPod: true,
        },
      ],
    }),
  );
});

it.each<[string, Facts["kept"], object]>([
  ["it is open", aKept({ state: "open", localPort: 40_001 }), { keptPort: 40_001 }],
  ["it is closed", aKept({ state: "closed", localPort: 40_001 }), {}],
])("names the kept connection's port to the kernel while %s", (_while, kept, more) => {
  expect(job("kernel", { facts: { kept } })).toEqual(
    expect.objectContaining({
      interests: [
        { target: "app", role: "app", port: 50051, addresses: [], ownsPod: true, ...more },
      ],
    }),
  );
});

const onLoopback = (pod?: NonNullable<Facts["reach"]["pod"]>): Partial<Facts> => ({
  ...xray(confirmed),
  listeners: aListeners({ rows: [aListenRow({ address: "127.0.0.1" })] }),
  surroundings: someSurroundings({ podAddress: "10.0.0.5" }),
  reach: aReach(pod === undefined ? {} : { pod }),
});
const refusedPod = (count: number, agoMs: number) =>
  onLoopback({
    address: "10.0.0.5:50051",
    outcome: "refused",
    since: NOW - agoMs,
    lastAt: NOW - agoMs,
    count,
  });

it.each<[string, Partial<Facts>, string | undefined]>([
  ["it was not yet", onLoopback(), "pod@1"],
  ["it was refused once, 1.1 s ago", refusedPod(1, 1_100), "pod@1 again"],
  ["it was refused once, just now", refusedPod(1, 1_099), undefined],
  ["it was refused twice", refusedPod(2, 5 * SECOND), undefined],
])("dials the pod's address at once, or not, when %s", (_when, facts, key) => {
  expect(job("preflight/app", { facts })?.urgency?.key).toBe(key);
});

const churn = (count: number, kept: Partial<Facts["kept"]> = {}): Situation => {
  const end = { lifeMs: 3 * SECOND, idleMs: 0, by: "fin" } as const;
  const ends = Array.from({ length: count }, () => ({ at: NOW - SECOND, ...end }));
  return { facts: { kept: aKept({ since: NOW - SECOND, ends, ...kept }) } };
};

it.each<[string, Situation, number]>([
  ["one connection ended young", churn(1), 10],
  ["two connections in a row ended young", churn(2), 2.5],
  ["the next has become a minute old", churn(2, { since: NOW - 60 * SECOND }), 10],
])("asks health more often while connections end young: %s", (_when, situation, seconds) => {
  expect(job("health/poll/app", situation)?.cadence).toEqual(every(seconds));
});
