import { expect, it } from "vitest";
import { connectionRefused } from "../../src/detectors/connection-refused.ts";
import { dnsFailing } from "../../src/detectors/dns-failing.ts";
import { dnsStale } from "../../src/detectors/dns-stale.ts";
import { loopbackOnly } from "../../src/detectors/loopback-only.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Reach, ReachRun } from "../../src/model/facts/reach.ts";
import type { DialAttempt } from "../../src/model/xray.ts";
import {
  aDial,
  aListeners,
  aListenRow,
  anExpectation,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  aReach,
  aRefusedDial,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  SECOND,
} from "../support/snapshot.ts";

const restart = connectionRefused.limits.restart.default;
const v4 = aRefusedDial();
const v6 = aRefusedDial({ address: "[::1]:50051", family: "ipv6" });
const noV6 = aRefusedDial({ ...v6, outcome: "error", errno: "EADDRNOTAVAIL" });
const lasting = (ms: number): ReachRun => ({
  outcome: "refused",
  since: NOW - ms,
  lastAt: NOW,
  count: 3,
  errno: "ECONNREFUSED",
});
const dialling = (...dials: DialAttempt[]) => ({
  xray: anXray({ latest: anXrayReport({ outcome: "failed", phase: "tcp", dials }) }),
});
const reaching = (change: Change<Reach> = {}) => ({
  reach: aReach({
    runs: { "127.0.0.1:50051": lasting(restart), "[::1]:50051": lasting(restart) },
    ...change,
  }),
});
const awaiting = (waitedMs: number, change: Change<Reach> = {}) =>
  reaching({ everListened: false, firstTriedAt: NOW - waitedMs, ...change });
const listening = (...addresses: string[]) => ({
  listeners: aListeners({
    rows: addresses.map((address) => aListenRow({ address })),
    listening: addresses.map((address) => `${address}:50051`),
  }),
});
/** Each test changes one thing of it: a server that listened is gone. */
const sick: Change<Facts> = {
  expectation: anExpectation(),
  ...dialling(v4, v6),
  ...reaching(),
  ...listening(),
};
const judged = (change: Change<Facts>) => judge(connectionRefused, { ...sick, ...change });

const gone = {
  subject: { address: "localhost:50051" },
  severity: "critical",
  witnesses: ["preflight", "kernel"],
  isDeterministic: true,
  summary: "localhost:50051 refuses connections: nothing listens there any more",
  evidence: {
    cause: "gone",
    everListened: true,
    errno: "ECONNREFUSED",
    attempts: 3,
    dialled: ["127.0.0.1:50051", "[::1]:50051"],
    refusedAddresses: ["127.0.0.1:50051", "[::1]:50051"],
    listening: [],
  },
};
const { listening: _rows, ...withoutKernel } = gone.evidence;
const waiting = {
  ...gone,
  severity: "info",
  summary: "localhost:50051 refuses connections: nothing has listened there yet",
  evidence: {
    ...gone.evidence,
    cause: "never-listened",
    everListened: false,
    waitedSeconds: 60.001,
  },
};

it.each<[string, Change<Facts>]>([
  ["it connects", dialling(aDial())],
  [
    "localhost refuses on 127.0.0.1 and connects on ::1",
    dialling(v4, aDial({ ...v6, outcome: "connected" })),
  ],
  ["a server that never listened is waited for", awaiting(MINUTE)],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it.each<[string, Change<Facts>]>([
  ["nothing was dialled", dialling()],
  [
    "one address is silent instead",
    dialling(v4, aRefusedDial({ ...v6, outcome: "timeout", errno: undefined })),
  ],
  ["no address can be there", dialling(noV6)],
  [
    "it was refused once",
    reaching({ runs: { "127.0.0.1:50051": { ...lasting(restart), count: 1 } } }),
  ],
  [
    "one of two was refused once",
    reaching({
      runs: {
        "127.0.0.1:50051": lasting(restart),
        "[::1]:50051": { ...lasting(restart), count: 1 },
      },
    }),
  ],
  [
    "a restart is granted",
    reaching({
      runs: { "127.0.0.1:50051": lasting(restart - 1), "[::1]:50051": lasting(restart) },
    }),
  ],
  [
    "the app lives in another network namespace",
    {
      ...awaiting(MINUTE + 1),
      listeners: aListeners({ rows: [], listening: [], sharesNetwork: false }),
    },
  ],
  [
    "so it may for a name of loopback and more",
    {
      ...dialling(v4, aRefusedDial({ address: "10.0.0.5:50051" })),
      ...awaiting(MINUTE + 1, {
        runs: { "127.0.0.1:50051": lasting(restart), "10.0.0.5:50051": lasting(restart) },
      }),
      listeners: aListeners({ rows: [], listening: [], sharesNetwork: false }),
    },
  ],
  ["no X-ray was made", { xray: undefined }],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Change<Facts>, object]>([
  ["it listened and is gone for a restart's time", {}, gone],
  [
    "the kernel does not tell",
    { listeners: undefined },
    { ...gone, witnesses: ["preflight"], evidence: withoutKernel },
  ],
  [
    "IPv6 is off in the pod",
    { ...dialling(v4, noV6) },
    {
      ...gone,
      evidence: {
        ...gone.evidence,
        dialled: ["127.0.0.1:50051"],
        refusedAddresses: ["127.0.0.1:50051"],
      },
    },
  ],
  ["it never listened, for more than a minute", awaiting(MINUTE + 1), waiting],
  [
    "it never listened, for exactly its time to start",
    awaiting(10 * MINUTE),
    { ...waiting, evidence: { ...waiting.evidence, waitedSeconds: 600 } },
  ],
  [
    "it never listened, for longer",
    awaiting(10 * MINUTE + 1),
    {
      ...waiting,
      severity: "warning",
      evidence: { ...waiting.evidence, waitedSeconds: 600.001 },
    },
  ],
  [
    "it is a unix socket, of which the kernel's rows of TCP say nothing",
    {
      ...awaiting(MINUTE + 1),
      listeners: aListeners({ rows: [], listening: ["127.0.0.1:8080"] }),
      expectation: anExpectation({ host: { kind: "unix", name: "/run/app.sock" } }),
    },
    {
      ...waiting,
      witnesses: ["preflight"],
      evidence: {
        ...withoutKernel,
        cause: "never-listened",
        everListened: false,
        waitedSeconds: 60.001,
      },
    },
  ],
  [
    "it never listened, and no kernel tells whether we share its network",
    { ...awaiting(MINUTE + 1), listeners: undefined },
    {
      ...waiting,
      witnesses: ["preflight"],
      evidence: {
        ...withoutKernel,
        cause: "never-listened",
        everListened: false,
        waitedSeconds: 60.001,
      },
    },
  ],
  [
    "no time to start is granted, wherever the app lives",
    {
      ...awaiting(0),
      expectation: anExpectation({ startupMs: 0 }),
      listeners: aListeners({ rows: [], listening: [], sharesNetwork: false }),
    },
    { ...waiting, severity: "critical", evidence: { ...waiting.evidence, waitedSeconds: 0 } },
  ],
  [
    "other ports listen",
    {
      ...awaiting(MINUTE + 1),
      listeners: aListeners({ rows: [], listening: ["[::]:8080"] }),
    },
    {
      ...waiting,
      summary:
        "localhost:50051 refuses connections: nothing has listened there yet, but the pod listens on other ports",
      evidence: { ...waiting.evidence, cause: "other-port", listening: ["[::]:8080"] },
    },
  ],
  [
    "another network namespace refuses under a name of its own",
    {
      ...dialling(aRefusedDial({ address: "10.0.0.5:50051" })),
      ...awaiting(MINUTE + 1, { runs: { "10.0.0.5:50051": lasting(restart) } }),
      listeners: aListeners({ rows: [], listening: [], sharesNetwork: false }),
    },
    {
      ...waiting,
      evidence: {
        ...waiting.evidence,
        dialled: ["10.0.0.5:50051"],
        refusedAddresses: ["10.0.0.5:50051"],
      },
    },
  ],
  [
    "a server listens there all the same",
    listening("::"),
    {
      ...gone,
      summary:
        "localhost:50051 refuses connections: a server listens there, so something in between refuses in its place",
      evidence: { ...gone.evidence, cause: "filtered", listening: [":::50051"] },
    },
  ],
  [
    "it listens on another address of the pod",
    listening("10.0.0.5"),
    {
      ...gone,
      summary: "localhost:50051 refuses connections: nothing listens on that address and port",
      evidence: { ...gone.evidence, cause: "refused", listening: ["10.0.0.5:50051"] },
    },
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it.each([
  ["::", v4, "filtered"],
  ["::", v6, "filtered"],
  ["0.0.0.0", v4, "filtered"],
  ["0.0.0.0", v6, "refused"],
  ["127.0.0.1", v4, "filtered"],
  ["127.0.0.1", v6, "refused"],
  ["::1", v6, "filtered"],
])("a row on %s covers what it accepts for", (address, dial, cause) => {
  const symptoms = judged({ ...dialling(dial), ...listening(address) });
  expect(symptoms?.map(({ evidence }) => evidence["cause"])).toEqual([cause]);
});

it("does not judge a port that began to listen since it was last tried", () => {
  const rows = listening("::").listeners;
  const since = (at: number) => ({ listeners: rows && { ...rows, since: at } });
  expect(judged(since(dialling(v4).xray.latest.at + 1))).toBeUndefined();
  expect(judged(since(dialling(v4).xray.latest.at))).toHaveLength(1);
});

it("needs one address only that a row covers", () => {
  const symptoms = judged(listening("127.0.0.1"));
  expect(symptoms?.map(({ evidence }) => evidence["cause"])).toEqual(["filtered"]);
});

it("is not loopback-only's affair where another address listens too", () => {
  const symptoms = judged({
    ...dialling(aRefusedDial({ address: "10.0.0.5:50051" })),
    ...reaching({ runs: { "10.0.0.5:50051": lasting(restart) } }),
    ...listening("127.0.0.1", "10.0.0.6"),
  });
  expect(symptoms?.map(({ evidence }) => evidence["cause"])).toEqual(["refused"]);
});

it("is not loopback-only's affair where loopback refuses as well", () => {
  const symptoms = judged({
    ...dialling(v4, aRefusedDial({ address: "10.0.0.5:50051" })),
    ...reaching({
      runs: { "127.0.0.1:50051": lasting(restart), "10.0.0.5:50051": lasting(restart) },
    }),
    ...listening("::1"),
  });
  expect(symptoms?.map(({ evidence }) => evidence["cause"])).toEqual(["refused"]);
});

it("takes a missing socket file for a refusal", () => {
  const address = "unix:/run/app.sock";
  const missing = aRefusedDial({ address, family: "unix", errno: "ENOENT" });
  expect(
    judged({
      expectation: anExpectation({ address, port: undefined }),
      ...dialling(missing),
      ...reaching({ runs: { [address]: { ...lasting(restart), errno: "ENOENT" } } }),
      listeners: undefined,
    }),
  ).toEqual([
    {
      ...gone,
      subject: { address },
      witnesses: ["preflight"],
      summary: "unix:/run/app.sock refuses connections: nothing listens there any more",
      evidence: {
        ...withoutKernel,
        errno: "ENOENT",
        dialled: [address],
        refusedAddresses: [address],
      },
    },
  ]);
});

const one = aRefusedDial({ address: "10.0.0.1:50051" });
const two = aRefusedDial({ address: "10.0.0.2:50051" });
const three = aRefusedDial({ address: "[fd00::1]:50051", family: "ipv6" });
const accepts = (dial: DialAttempt) => aDial({ ...dial, outcome: "connected", errno: undefined });
const silent = (dial: DialAttempt) => aDial({ ...dial, outcome: "timeout", errno: undefined });
const runsOf = (ms: number) => ({
  reach: aReach({
    runs: {
      [one.address]: lasting(ms),
      [two.address]: { ...lasting(ms), count: 9 },
      [three.address]: lasting(ms),
    },
  }),
});
const upstream = (change: Change<Facts>, ms = 30 * SECOND) =>
  judge(connectionRefused, { expectation: anUpstreamExpectation(), ...runsOf(ms), ...change });
const all = {
  subject: { address: "dns:///inventory.shop.svc:50051" },
  severity: "critical",
  witnesses: ["preflight"],
  isDeterministic: true,
  summary:
    "dns:///inventory.shop.svc:50051 refuses connections: nothing listens on that address and port",
  evidence: {
    cause: "refused",
    everListened: true,
    errno: "ECONNREFUSED",
    attempts: 9,
    dialled: [one.address, two.address],
    refusedAddresses: [one.address, two.address],
  },
};
const some = {
  ...all,
  severity: "warning",
  summary:
    "1 of 2 addresses of dns:///inventory.shop.svc:50051 refuse connections: nothing listens on that address and port",
  evidence: {
    ...all.evidence,
    attempts: 3,
    refusedAddresses: [one.address],
    acceptingAddresses: [two.address],
  },
};

it.each<[string, Change<Facts>]>([
  ["all addresses accept", dialling(accepts(one), accepts(two))],
  ["one accepts and one is silent", dialling(silent(one), accepts(two))],
  ["one family refuses and the other connects", dialling(three, accepts(one))],
])("is silent about an upstream of which %s", (_when, change) => {
  expect(upstream(change)).toEqual([]);
});

it.each<[string, Change<Facts>, number]>([
  ["all addresses are silent", dialling(silent(one)), 30 * SECOND],
  ["all refused for less than a second", dialling(one, two), 999],
  ["some have refused for less than 30 s", dialling(one, accepts(two)), 30 * SECOND - 1],
])("does not judge an upstream of which %s", (_when, change, ms) => {
  expect(upstream(change, ms)).toBeUndefined();
});

it.each<[string, Change<Facts>, number, object]>([
  ["all addresses refuse, confirmed", dialling(one, two), 1000, all],
  ["some have refused for 30 s", dialling(one, accepts(two)), 30 * SECOND, some],
  [
    "one family refuses, and one of it connects",
    dialling(one, accepts(two), accepts(three)),
    30 * SECOND,
    {
      ...some,
      summary: some.summary.replace("1 of 2", "1 of 3"),
      evidence: {
        ...some.evidence,
        dialled: [one.address, two.address, three.address],
        acceptingAddresses: [two.address, three.address],
      },
    },
  ],
  [
    "both families fail and one address connects",
    dialling(one, three, accepts(two)),
    30 * SECOND,
    {
      ...some,
      summary: some.summary.replace("1 of 2", "2 of 3"),
      evidence: {
        ...some.evidence,
        dialled: [one.address, three.address, two.address],
        refusedAddresses: [one.address, three.address],
      },
    },
  ],
  [
    "some refuse and the others are silent",
    dialling(one, silent(two)),
    30 * SECOND,
    {
      ...some,
      evidence: {
        ...all.evidence,
        attempts: 3,
        refusedAddresses: [one.address],
      },
    },
  ],
])("reports an upstream of which %s", (_when, change, ms, expected) => {
  expect(upstream(change, ms)).toEqual([expected]);
});

it.each([
  [60 * SECOND, 600 * SECOND, "info"],
  [60 * SECOND + 1, 600 * SECOND, "critical"],
  [SECOND, 0, "critical"],
])(
  "reports one that never listened for %d ms, granted %d ms, as %s",
  (waitedMs, startupMs, severity) => {
    const { reach } = runsOf(SECOND);
    const expectation = anUpstreamExpectation({ startupMs });
    const never = { ...reach, everListened: false, firstTriedAt: NOW - waitedMs };
    const found = upstream({ ...dialling(one, two), reach: never, expectation });
    expect(found?.map((told) => told.severity)).toEqual([severity]);
  },
);

it.each([
  ["dns-failing", {}, ["10.0.0.1:50051"], true],
  [
    "dns-stale, of every refused address",
    { staleAddresses: ["10.0.0.1"] },
    ["10.0.0.1:50051"],
    true,
  ],
  [
    "dns-stale, of one of two",
    { staleAddresses: ["10.0.0.1"] },
    ["10.0.0.1:50051", "10.0.0.2:50051"],
    false,
  ],
  ["dns-stale, of none", { staleAddresses: [] }, ["10.0.0.1:50051"], false],
  ["dns-stale, of nobody knows which", {}, ["10.0.0.1:50051"], false],
  ["loopback-only", { podAddress: "10.0.0.5" }, ["10.0.0.5:50051"], true],
  ["loopback-only, of another address", { podAddress: "10.0.0.6" }, ["10.0.0.5:50051"], false],
])("is explained by %s: %j", (code, evidence, refusedAddresses, answer) => {
  const cause = { code: code.split(",")[0] ?? "", subject: {}, evidence };
  expect(connectionRefused.explainedBy(cause, { refusedAddresses }, {})).toBe(answer);
});

it("names its causes", () => {
  expect(connectionRefused.causes).toEqual([dnsFailing, dnsStale, loopbackOnly]);
});

it("reads what it declares", () => {
  expect(factsRead(connectionRefused)).toEqual(factsDeclared(connectionRefused));
});

it("names as many ports that do listen as evidence holds, and says how many more there are", () => {
  const ports = Array.from({ length: 25 }, (_, index) => `127.0.0.1:${8_000 + index}`);
  const listeners = aListeners({ rows: [], listening: ports });
  const [symptom] = judged({ ...awaiting(MINUTE + 1), listeners }) ?? [];
  expect(symptom?.evidence["listening"]).toEqual([...ports.slice(0, 19), "and 6 more"]);
});
