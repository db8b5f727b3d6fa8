import { expect, it } from "vitest";
import type { Expectation } from "../../../src/model/facts/expectation.ts";
import type { Observation } from "../../../src/model/observation.ts";
import { folded } from "../../support/folded.ts";
import { after, anOpeningAt, aRunAt, aStore, targetIn } from "../../support/observations.ts";
import { anExpectation, NOW } from "../../support/snapshot.ts";

const METHOD = "order.OrderService/GetOrder";
const planned = {
  name: "get-order",
  method: METHOD,
  deadlineMs: 500,
  hasCredentials: true,
} as const;
const configured = (seconds: number, ...probes: Expectation["probes"]): Observation => ({
  source: "config",
  kind: "configured",
  target: "app",
  at: after(seconds),
  expectation: anExpectation({ probes }),
});
const described: Observation = {
  source: "health",
  kind: "services",
  target: "app",
  at: NOW,
  methods: [{ name: METHOD, kind: "unary" }],
};
const probe = (observations: readonly Observation[]) =>
  folded("probes", observations)?.probes["get-order"];

it("tells a run with what the configuration and the descriptors say of its probe", () => {
  const plan = { ...planned, everyMs: 30_000, objectiveMs: 200 };
  const failed = aRunAt(50, {
    outcome: "failed",
    phase: "rpc",
    reason: "status",
    status: "INTERNAL",
    statusText: "boom",
    address: "127.0.0.1:50051",
  });
  const seen = [configured(0, plan), described, anOpeningAt(0), aRunAt(40), failed];
  expect(probe(seen)).toEqual({
    method: METHOD,
    connection: "kept",
    deadlineMs: 500,
    everyMs: 30_000,
    objectiveMs: 200,
    hasCredentials: true,
    isUnary: true,
    failedInRow: 1,
    lastOkAt: after(40),
    runs: [
      expect.objectContaining({ at: after(40), outcome: "passed", isSuspect: false }),
      {
        at: after(50),
        outcome: "failed",
        phase: "rpc",
        reason: "status",
        status: "INTERNAL",
        statusText: "boom",
        address: "127.0.0.1:50051",
        ms: 12,
        phaseMs: {},
        isFirstOnChannel: false,
        isSuspect: false,
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
      },
    ],
  });
});

it("says no more of a probe than is known", () => {
  const { runs: _runs, ...rest } = probe([aRunAt(40, { outcome: "unsupported" })]) ?? {};
  expect(rest).toEqual({
    method: METHOD,
    connection: "kept",
    deadlineMs: 500,
    hasCredentials: false,
  });
});

it.each([
  ["begins in time", 6_000, 40, false],
  ["begins late by more than a fifth of its interval", 6_001, 40, true],
  ["is of a process that has just begun", 0, 20, true],
])("suspects a run that %s", (_when, scheduleLagMs, seconds, isSuspect) => {
  const plan = configured(0, { ...planned, everyMs: 30_000 });
  const run = aRunAt(seconds, { scheduleLagMs });
  expect(probe([plan, anOpeningAt(0), run])?.runs[0]?.isSuspect).toBe(isSuspect);
});

it.each<[string, Expectation["probes"], readonly string[]]>([
  ["it stays", [planned], ["get-order"]],
  ["it is gone", [], []],
  ["it calls another method", [{ ...planned, method: "a.B/C" }], []],
])("keeps the runs of a probe over a reload while %s", (_when, probes, names) => {
  const seen = [configured(0, planned), aRunAt(1), configured(2, ...probes)];
  expect(Object.keys(folded("probes", seen)?.probes ?? {})).toEqual(names);
});

it("takes out a probe that stopped running, by its own interval", () => {
  const store = aStore(
    configured(0, { ...planned, everyMs: 10_000 }, { ...planned, name: "nightly" }),
    aRunAt(0),
    aRunAt(0, { probe: "nightly" }),
  );
  const names = (seconds: number) => {
    const known = targetIn(store.snapshot(after(seconds))).facts.probes;
    return known?.state === "known" ? Object.keys(known.value.probes) : known;
  };
  expect(names(25)).toEqual(["get-order", "nightly"]);
  expect(names(26)).toEqual(["nightly"]);
  expect(names(3 * 86_400)).toEqual({ state: "unknown", why: "stale" });
});

it("keeps 20 runs", () => {
  const runs = Array.from({ length: 30 }, (_, i) => aRunAt(i));
  expect(probe(runs)?.runs).toHaveLength(20);
});

it("keeps what the server described while no run is answered, and no longer", () => {
  const contract = { checkedTypes: 2, differences: ["order.Order.price: float → double"] };
  const lost = { outcome: "failed", phase: "tcp", reason: "refused" } as const;
  const seen = [configured(0, planned), aRunAt(40, { contract }), aRunAt(50, lost)];
  expect(probe(seen)?.contract).toEqual(contract);
  expect(probe([...seen, aRunAt(60)])).not.toHaveProperty("contract");
});

it("counts the failures in a row beyond the runs that it keeps, without those of the agent", () => {
  const failed = { outcome: "failed", phase: "rpc", reason: "status", status: "INTERNAL" } as const;
  const spoilt = { outcome: "failed", phase: "rpc", reason: "agent" } as const;
  const row = Array.from({ length: 25 }, (_, index) => aRunAt(40 + index, failed));
  expect(probe([aRunAt(39), ...row, aRunAt(65, spoilt)])?.failedInRow).toBe(25);
  expect(probe([...row, aRunAt(65), aRunAt(66, failed)])?.failedInRow).toBe(1);
  expect(probe([...row, aRunAt(65)])?.failedInRow).toBeUndefined();
});
