import assert from "node:assert/strict";
import { plan } from "../../../src/agent/plan.ts";
import { parseSnapshot } from "../../../src/config/parse-snapshot.ts";
import { printSnapshot } from "../../../src/config/print-snapshot.ts";
import { DETECTORS } from "../../../src/detectors/index.ts";
import { runDetectors } from "../../../src/findings/run-detectors.ts";
import { createTracker } from "../../../src/findings/tracker.ts";
import type { Settings } from "../../../src/model/settings.ts";
import { upstreamName } from "../../../src/model/upstream-name.ts";
import { createPrometheusSink, type PrometheusSink } from "../../../src/sinks/prometheus/sink.ts";
import { createStore } from "../../../src/store/store.ts";
import { someSettings } from "../../support/findings.ts";
import { APP, UPSTREAM } from "../../support/observations.ts";
import { NOW } from "../../support/snapshot.ts";
import { observationOf, type Step, steps } from "../observed.ts";
import { defineProperty } from "../property.ts";
import { assertExposition } from "./exposition-grammar.ts";

const SETTINGS: Settings = someSettings(DETECTORS, { targets: [APP, UPSTREAM] });

/** The whole pipeline but for its sources and its clock; `each` looks on after each evaluation. */
async function run(given: readonly Step[], each: (sink: PrometheusSink) => Promise<void>) {
  const store = createStore({ startedAt: NOW });
  for (const target of SETTINGS.targets) store.register(target, NOW);
  const tracker = createTracker({ detectors: DETECTORS });
  let now = NOW;
  let snapshot = store.snapshot(now);
  let report = tracker.report({ snapshot, settings: SETTINGS, now });
  const sink = createPrometheusSink({
    snapshot: () => snapshot,
    report: () => report,
    settings: () => SETTINGS,
    process: () => ({ cpuSeconds: 1, residentBytes: 1, startedAt: 0 }),
    clock: { now: () => now, shown: (at) => at },
    codes: DETECTORS,
    upstreamOf: (text) => upstreamName(text).name,
    build: { version: "1.0.0", node: "v24.0.0" },
  });
  for (const step of given) {
    now += step.afterMs;
    const observation = observationOf(step, now);
    store.append(observation);
    sink.observe?.(observation);
    snapshot = store.snapshot(now);
    const judged = runDetectors({
      snapshot,
      settings: SETTINGS,
      detectors: DETECTORS,
      monotonicMs: () => 0,
    });
    assert.deepEqual(judged.events, []);
    const { history } = store;
    const moment = { now, monotonicMs: now };
    const update = { ...judged, ...moment, snapshot, settings: SETTINGS, history };
    for (const change of tracker.update(update)) sink.change?.(change);
    report = tracker.report({ snapshot, settings: SETTINGS, now });
    plan(SETTINGS, snapshot, report);
    await each(sink);
  }
  return snapshot;
}

/** What any server says ends in a snapshot that every agent can read. */
export const observedSnapshots = defineProperty({
  name: "observed-snapshots",
  runs: 10,
  input: steps,
  async check(given) {
    const snapshot = await run(given, () => Promise.resolve());
    const printed = printSnapshot({ agent: "1.0.0", settings: SETTINGS, snapshot });
    const read = parseSnapshot(printed, DETECTORS);
    assert.ok("snapshot" in read, JSON.stringify(read));
    assert.deepEqual(read.snapshot, snapshot);
  },
});

/** Counters only grow, whatever dies, starts anew or lies; the text is valid at every moment. */
export const growingCounters = defineProperty({
  name: "growing-counters",
  runs: 8,
  input: steps,
  async check(given) {
    const before = new Map<string, number>();
    await run(given, async (sink) => {
      const { body } = await sink.render(undefined);
      assertExposition(body, "text");
      for (const [series, value] of countersIn(body)) {
        assert.ok(value >= (before.get(series) ?? 0), `${series} fell to ${value}`);
        before.set(series, value);
      }
      for (const series of before.keys())
        assert.ok(body.includes(`${series} `), `${series} is gone`);
    });
  },
});

function countersIn(body: string): readonly (readonly [string, number])[] {
  const counters = [...body.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name]) => name);
  return body.split("\n").flatMap((line) => {
    const at = line.lastIndexOf(" ");
    const series = line.slice(0, at);
    const isCounter = !line.startsWith("#") && counters.includes(series.replace(/\{.*$/, ""));
    return isCounter ? [[series, Number(line.slice(at + 1))] as const] : [];
  });
}
