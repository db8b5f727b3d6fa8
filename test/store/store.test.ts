import fc from "fast-check";
import { expect, it } from "vitest";
import type { FactName } from "../../src/model/facts/index.ts";
import type { CapabilityObservation, Observation } from "../../src/model/observation.ts";
import { AGENT_TARGET, type Target } from "../../src/model/target.ts";
import { createStore } from "../../src/store/store.ts";
import {
  APP,
  aClosingAt,
  aCycleAt,
  after,
  aGoawayAt,
  aHealthErrorAt,
  aLookupAt,
  anOpeningAt,
  anXrayAt,
  aReadAt,
  aRefusalAt,
  aReplyAt,
  aRunAt,
  aScrapeAt,
  aSelfEventAt,
  aServer,
  aStatusAt,
  aStore,
  targetIn,
  UPSTREAM,
} from "../support/observations.ts";
import { MINUTE, NOW, SECOND } from "../support/snapshot.ts";

const capability = (
  seconds: number,
  change: Partial<CapabilityObservation> = {},
): CapabilityObservation => ({
  source: "channelz",
  kind: "capability",
  target: "app",
  at: after(seconds),
  available: false,
  reason: "UNIMPLEMENTED",
  ...change,
});

function factAt(seconds: number, fact: FactName, observations: readonly Observation[]) {
  const [first] = observations;
  return targetIn(aStore(...observations).snapshot(after(seconds)), first?.target).facts[fact];
}

it("knows nothing of a target that was just registered, and says why", () => {
  const { facts } = targetIn(aStore().snapshot(NOW));
  expect(facts).toMatchObject({
    reach: { state: "unknown", why: "not-yet" },
    serverCalls: { state: "unknown", why: "not-yet" },
    resolution: { state: "unavailable", reason: "localhost is not looked up" },
    servedFile: { state: "unavailable", reason: "no certificate file is configured" },
  });
});

it.each([
  ["app", ["peers", "upstreamCalls", "self", "crashes", "configState"]],
  ["inventory", ["listeners", "channels", "self", "crashes", "configState"]],
])("has no fact of %s that it cannot have", (name, absent) => {
  const { facts } = targetIn(aStore().snapshot(NOW), name);
  expect(absent.filter((fact) => fact in facts)).toEqual([]);
});

it("says what the configuration rules out", () => {
  const { channelz: _channelz, metrics: _metrics, ...target } = APP;
  const store = createStore({ startedAt: NOW });
  store.register({ ...target, endpoint: { kind: "ip", host: "10.0.0.1", port: 1 } }, NOW);
  const { facts } = targetIn(store.snapshot(NOW));
  expect(facts).toMatchObject({
    serverCalls: { state: "unavailable", reason: "channelz is switched off" },
    appCalls: { state: "unavailable", reason: "no metrics endpoint is configured" },
    resolution: { state: "unavailable", reason: "the address is a literal" },
  });
});

it.each<[FactName, number, Observation]>([
  ["reach", 75, anXrayAt(0)],
  ["xray", 75, anXrayAt(0)],
  ["resolution", 75, aLookupAt(0, ["10.0.0.1"])],
  ["listeners", 37.5, aReadAt(0)],
  ["surroundings", 37.5, aReadAt(0)],
  ["outbound", 37.5, aReadAt(0)],
  ["health", 25, aStatusAt(0, { via: "check" })],
  ["serverCalls", 25, aCycleAt(0)],
  ["sockets", 25, aCycleAt(0)],
  ["channels", 25, aCycleAt(0)],
  ["appCalls", 37.5, aScrapeAt(0)],
  ["appProcess", 37.5, aScrapeAt(0, { openFds: 9, maxFds: 1024 })],
])("knows %s for %d s and no longer", (fact, seconds, observation) => {
  expect(factAt(seconds, fact, [observation])).toMatchObject({ state: "known", at: NOW });
  const late = { state: "unknown", why: "stale" };
  expect(factAt(seconds + 0.001, fact, [observation])).toEqual(late);
});

it("lets a dear read of the socket table hold longer, as the next comes later", () => {
  const read = aReadAt(0, { costMs: 20 });
  expect(factAt(100, "listeners", [read])).toMatchObject({ state: "known" });
  expect(factAt(100.001, "listeners", [read])).toEqual({ state: "unknown", why: "stale" });
});

it.each<[string, number, readonly Observation[], string]>([
  ["an hour, while its connection lives", 3600, [anOpeningAt(0), aStatusAt(0)], "known"],
  ["25 s after its connection ended", 85, [aStatusAt(0), aClosingAt(60)], "known"],
  ["no longer after that", 85.001, [aStatusAt(0), aClosingAt(60)], "unknown"],
])("knows what a Watch said for %s", (_how, seconds, observations, state) => {
  expect(factAt(seconds, "health", observations)?.state).toBe(state);
});

it.each<[string, readonly Observation[], object]>([
  ["its source cannot see", [capability(1)], { state: "unavailable", reason: "UNIMPLEMENTED" }],
  [
    "its source went blind after it was seen",
    [aCycleAt(0), capability(1, { fix: "Register it." })],
    { state: "unavailable", reason: "UNIMPLEMENTED", fix: "Register it." },
  ],
  ["its source sees again", [capability(0), aCycleAt(1)], { state: "known", at: after(1) }],
  [
    "only a part of its source is missing",
    [aCycleAt(0), capability(1, { part: "sockets" })],
    { state: "known", at: NOW },
  ],
  ["another source is missing", [aCycleAt(0), capability(1, { source: "metrics" })], { at: NOW }],
])("tells a fact when %s", (_when, observations, want) => {
  expect(factAt(2, "serverCalls", observations)).toMatchObject(want);
});

const notLetIn = capability(1, { reason: "client_certificate_required" });

it("forgets that it was not let in when a connection opens", () => {
  const store = aStore(notLetIn, capability(2, { source: "health" }), anOpeningAt(3));
  const { capabilities } = targetIn(store.snapshot(after(4)));
  expect(capabilities.map(({ source }) => source)).toEqual(["health"]);
});

it.each<[string, Partial<Target>, readonly string[]]>([
  ["stays for a target that is configured as before", {}, ["channelz"]],
  ["stays where another thing is configured", { startupMs: 1 }, ["channelz"]],
  [
    "goes with other metadata",
    { metadata: [{ key: "x-token", value: { kind: "literal", value: "1" } }] },
    [],
  ],
  ["goes with another certificate", { tls: { mode: "tls", cert: "b", key: "b" } }, []],
])("keeps what a server would not do: %s", (_when, change, want) => {
  const store = aStore(capability(1));
  store.register({ ...APP, ...change }, after(2));
  const { capabilities } = targetIn(store.snapshot(after(3)));
  expect(capabilities.map(({ source }) => source)).toEqual(want);
});

it("keeps a capability since it was first told, for an hour", () => {
  const store = aStore(capability(1), capability(60), capability(3601));
  const { capabilities } = targetIn(store.snapshot(after(3602)));
  expect(capabilities).toEqual([
    { source: "channelz", available: false, reason: "UNIMPLEMENTED", since: after(3601) },
  ]);
});

it("asks a new process anew what it can, and the pod not", () => {
  const row = { listeners: [{ address: "::", port: 50051, queued: 0, inode: 7 }] };
  const files = capability(2, { source: "files", reason: "EACCES" });
  const store = aStore(aReadAt(0), capability(1), files, aReadAt(20, row));
  const { capabilities } = targetIn(store.snapshot(after(21)));
  expect(capabilities.map(({ source }) => source)).toEqual(["files"]);
});

it("drops in a new epoch what was of the old process, and keeps the rest", () => {
  const row = { listeners: [{ address: "::", port: 50051, queued: 0, inode: 7 }] };
  const before = [aReadAt(0), anXrayAt(0), aStatusAt(1), aCycleAt(1), aScrapeAt(1), aRunAt(1)];
  const { facts } = targetIn(aStore(...before, aReadAt(20, row)).snapshot(after(21)));
  const states = Object.entries(facts).map(([name, known]) => [name, known?.state]);
  expect(Object.fromEntries(states)).toMatchObject({
    health: "unknown",
    serverCalls: "unknown",
    sockets: "unknown",
    channels: "unknown",
    appCalls: "unknown",
    reach: "known",
    xray: "known",
    probes: "known",
  });
});

it.each<[string, boolean, readonly Observation[]]>([
  ["a first X-ray", true, [anXrayAt(1)]],
  ["the X-ray that confirms it", true, [anXrayAt(1), anXrayAt(3)]],
  ["a third one alike", false, [anXrayAt(1), anXrayAt(3), anXrayAt(5)]],
  ["a refusal", true, [anXrayAt(1), anXrayAt(3), anXrayAt(5), aRefusalAt(7)]],
  ["a status", true, [aStatusAt(1)]],
  ["the same status", false, [aStatusAt(1), aStatusAt(2)]],
  ["another status", true, [aStatusAt(1), aStatusAt(2, { status: "NOT_SERVING" })]],
  ["a first error of health", true, [aStatusAt(1), aHealthErrorAt(2)]],
  ["an opened connection", true, [anOpeningAt(1)]],
  ["a lost connection", true, [anOpeningAt(1), aClosingAt(2)]],
  ["a GOAWAY", true, [anOpeningAt(1), aGoawayAt(2)]],
  ["a reply", false, [anOpeningAt(1), aReplyAt(2)]],
  ["no reply", true, [anOpeningAt(1), aReplyAt(2, "silent")]],
  ["the same listeners", false, [aReadAt(1), aReadAt(2)]],
  ["no listener", true, [aReadAt(1), aReadAt(2, { listeners: [] })]],
  ["a passed run after another", false, [aRunAt(1), aRunAt(2)]],
  ["a failed run", true, [aRunAt(1), aRunAt(2, { outcome: "failed" })]],
  ["an answer alike", false, [aLookupAt(1, ["10.0.0.1"]), aLookupAt(2, ["10.0.0.1"])]],
  ["another answer", true, [aLookupAt(1, ["10.0.0.1"]), aLookupAt(2, ["10.0.0.2"])]],
  ["a capability", true, [capability(1)]],
  ["the same capability", false, [capability(1), capability(2)]],
  ["a poll of channelz", false, [aCycleAt(1), aCycleAt(11)]],
  ["an unknown target", false, [anXrayAt(1), { ...anXrayAt(2), target: "nobody" }]],
])("says whether to judge at once: %s, %s", (_what, isNews, observations) => {
  const store = aStore(...observations.slice(0, -1));
  expect(observations.slice(-1).map((last) => store.append(last))).toEqual([isNews]);
});

const SETTLED = [anOpeningAt(0), anXrayAt(1)];

it.each<[string, boolean, (store: ReturnType<typeof aStore>) => void]>([
  ["all is well", true, () => undefined],
  ["the loop lagged 100 ms", true, (s) => s.hear(aSelfEventAt(59, { lagP99Ms: 100 }))],
  ["the loop lagged more", false, (s) => s.hear(aSelfEventAt(59, { lagP99Ms: 101 }))],
  ["the cgroup was throttled", false, (s) => s.hear(aSelfEventAt(59, { throttledRatio: 0.01 }))],
  ["that window is over", true, (s) => s.hear(aSelfEventAt(45, { lagP99Ms: 101 }))],
  ["a job was late by 20 %", true, (s) => s.hear(late(2_000))],
  ["a job was later", false, (s) => s.hear(late(2_001))],
])("trusts its own timing or not when %s", (_when, trusted, hear) => {
  const store = aStore(...SETTLED);
  hear(store);
  expect(targetIn(store.snapshot(after(60))).timingTrusted).toBe(trusted);
});

function late(lagMs: number) {
  const job = { job: "channelz/app", source: "channelz", target: "app", durationMs: 9 } as const;
  return { kind: "job-finished", at: after(59), lagMs, intervalMs: 10_000, ...job } as const;
}

it.each([
  [29.999, false],
  [30, true],
])("trusts no timing of a process that is %d s old: %s", (seconds, trusted) => {
  const { timingTrusted } = targetIn(aStore(anOpeningAt(0)).snapshot(after(seconds)));
  expect(timingTrusted).toBe(trusted);
});

it("trusts timing again when the clock was set back by an hour", () => {
  const store = aStore(anOpeningAt(3600), aGoawayAt(3600));
  store.hear(aSelfEventAt(3600, { lagP99Ms: 5000 }));
  const before = targetIn(store.snapshot(after(3601)));
  const { timingTrusted, quietUntil } = targetIn(store.snapshot(after(10)));
  expect([before.timingTrusted, before.quietUntil]).toEqual([false, after(3660)]);
  expect([timingTrusted, quietUntil]).toEqual([true, undefined]);
  store.hear(aSelfEventAt(11, { lagP99Ms: 5000 }));
  expect(targetIn(store.snapshot(after(12))).timingTrusted).toBe(false);
});

it("judges the agent itself although its timing is suspect", () => {
  const store = aStore();
  store.hear(aSelfEventAt(1, { lagP99Ms: 500 }));
  expect(targetIn(store.snapshot(after(2)), AGENT_TARGET)).toMatchObject({
    state: "watched",
    timingTrusted: true,
    facts: { self: { state: "known" }, crashes: { state: "unknown" } },
  });
});

it("keeps the facts of a target that is registered again, and drops them if it moved", () => {
  const store = aStore(anXrayAt(1));
  store.register({ ...APP, startupMs: 1 }, after(2));
  expect(targetIn(store.snapshot(after(3))).facts.xray?.state).toBe("known");
  store.register({ ...APP, address: "localhost:50052" }, after(4));
  expect(targetIn(store.snapshot(after(5))).facts.xray?.state).toBe("unknown");
});

it("forgets a target that is watched no more, but never itself", () => {
  const store = aStore(anXrayAt(1));
  store.unregister("app");
  store.unregister(AGENT_TARGET);
  expect(Object.keys(store.snapshot(after(2)).targets)).toEqual([AGENT_TARGET, "inventory"]);
  expect(store.history.targets).not.toHaveProperty("app");
});

it("shares what did not change, and never changes what it showed", () => {
  const store = aStore(anXrayAt(1), aCycleAt(1));
  const first = store.snapshot(after(2));
  const shown = JSON.stringify(first);
  store.append(aCycleAt(11, { server: aServer({ callsStarted: 5 }) }));
  const second = store.snapshot(after(12));
  expect(targetIn(second).facts.xray).toBe(targetIn(first).facts.xray);
  expect(JSON.stringify(first)).toBe(shown);
});

const anyObservation = fc.tuple(fc.nat(13), fc.nat(40), fc.nat(5)).map(([kind, step, n]) => {
  const make: readonly ((s: number) => Observation)[] = [
    (s) => anXrayAt(s),
    (s) => aRefusalAt(s, `10.0.0.${n}:50051`),
    (s) => anOpeningAt(s),
    (s) => aClosingAt(s),
    (s) => aGoawayAt(s),
    (s) => aReplyAt(s, "silent"),
    (s) => aStatusAt(s, { service: `s${n}`, status: n % 2 === 0 ? "SERVING" : "NOT_SERVING" }),
    (s) => aHealthErrorAt(s),
    (s) => aCycleAt(s, { server: aServer({ callsStarted: n * 10, callsFailed: n }) }),
    (s) => aReadAt(s, { listeners: [{ address: "::", port: 1, queued: n, inode: n }] }),
    (s) =>
      aLookupAt(
        s,
        Array.from({ length: n }, (_, i) => `10.0.${n}.${i}`),
      ),
    (s) => aScrapeAt(s, { handledByCode: { OK: n } }),
    (s) => aRunAt(s, { outcome: n === 0 ? "failed" : "passed" }),
    (s) => capability(s, { available: n > 2 }),
  ];
  return { step, make: make[kind] ?? anXrayAt };
});

it("stays plain JSON, monotonic and bounded whatever comes", () => {
  fc.assert(
    fc.property(fc.array(anyObservation, { maxLength: 120 }), (steps) => {
      const store = aStore();
      let seconds = 0;
      for (const { step, make } of steps) {
        seconds += step / 4;
        store.append(make(seconds));
      }
      const snapshot = store.snapshot(after(seconds));
      expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
      const { serverCalls, reach, health } = targetIn(snapshot).facts;
      const polls = serverCalls?.state === "known" ? serverCalls.value.polls : [];
      const started = polls.map((poll) => poll.started);
      expect(started).toEqual(started.toSorted((a, b) => a - b));
      expect(reach?.state === "known" ? reach.value.attempts.length : 0).toBeLessThanOrEqual(40);
      const services = health?.state === "known" ? health.value.services : {};
      expect(Object.keys(services).length).toBeLessThanOrEqual(10);
    }),
    { numRuns: 60 },
  );
});

it("marks what changed, from its beginning, and forgets what is older than 10 min", () => {
  const store = aStore(
    aLookupAt(0, ["10.0.0.1"]),
    aLookupAt(30, ["10.0.0.1"]),
    aLookupAt(60, ["10.0.0.2"]),
    aLookupAt(90, ["10.0.0.3"]),
    aLookupAt(90 + 600, ["10.0.0.4"]),
  );
  const dns = (seconds: number, value: string) => ({ at: after(seconds), what: "dns", value });
  expect(store.history.targets["inventory"]).toEqual([
    { at: NOW, what: "epoch", value: "1" },
    dns(60, "10.0.0.2"),
    dns(90, "10.0.0.3"),
    dns(690, "10.0.0.4"),
  ]);
});

it("learns what is usual, and drops it with the epoch", () => {
  const store = aStore(aReadAt(0));
  const lesson = { target: "app", frozen: new Set<string>() };
  const samples = { "deadline-storm/share": { value: 0.02, weight: 50 } };
  store.learn({ ...lesson, now: NOW, samples });
  store.learn({ ...lesson, now: NOW + 10 * SECOND, samples });
  expect(targetIn(store.snapshot(NOW + MINUTE)).baselines).toEqual({
    "deadline-storm/share": { mean: 0.02, weight: 100, since: NOW },
  });
  store.append(aReadAt(20, { listeners: [{ address: "::", port: 50051, queued: 0, inode: 7 }] }));
  expect(targetIn(store.snapshot(after(21))).baselines).toEqual({});
});

it("hears the clock of another host from an upstream, and of no other", () => {
  const rpc = { path: "/x", dateAt: after(-90) };
  const there = [{ ...anXrayAt(0).report.dials[0], address: "10.0.0.1:50051" }] as never;
  const upstream = { ...anXrayAt(0, { rpc, dials: there }), target: UPSTREAM.name };
  const surroundings = (...seen: readonly Observation[]) =>
    targetIn(aStore(...seen, aReadAt(1)).snapshot(after(2))).facts.surroundings;
  expect(surroundings(anXrayAt(0, { rpc, dials: there }))).not.toHaveProperty(
    "value.clockDifferenceMs",
  );
  expect(surroundings(upstream)).toHaveProperty("value.clockDifferenceMs", -90_000);
});
