import assert from "node:assert/strict";
import fc from "fast-check";
import { parseSnapshot } from "../../../src/config/parse-snapshot.ts";
import { printSnapshot, type SavedSnapshot } from "../../../src/config/print-snapshot.ts";
import { settingsSchema } from "../../../src/config/snapshot/settings.ts";
import { targetSnapshot } from "../../../src/config/snapshot/target-snapshot.ts";
import { DETECTORS } from "../../../src/detectors/index.ts";
import { runDetectors } from "../../../src/findings/run-detectors.ts";
import { createTracker } from "../../../src/findings/tracker.ts";
import { statusPage } from "../../../src/http/page/status-page.ts";
import type { FindingChange, FindingsReport } from "../../../src/model/finding.ts";
import { findingsDocument } from "../../../src/model/findings-document.ts";
import { upstreamName } from "../../../src/model/upstream-name.ts";
import { createLogSink } from "../../../src/sinks/log.ts";
import { createPrometheusSink } from "../../../src/sinks/prometheus/sink.ts";
import { SAVED } from "../../support/saved-snapshot.ts";
import { edited, fromSchema, treeEdit } from "../from-schema.ts";
import { mutated } from "../mutation.ts";
import { defineProperty } from "../property.ts";
import { assertExposition } from "./exposition-grammar.ts";

const PRINTED = printSnapshot(SAVED);

/** Reads it; what is accepted says the same when it is printed and read again, and can be judged. */
async function assertReads(text: string): Promise<void> {
  const saved = parseSnapshot(text, DETECTORS);
  if ("fault" in saved) {
    assert.ok(saved.fault.length <= 500, saved.fault);
    return;
  }
  const again = parseSnapshot(printSnapshot(saved), DETECTORS);
  assert.ok("snapshot" in again, JSON.stringify(again).slice(0, 500));
  assert.deepEqual(again.snapshot, saved.snapshot);
  assert.equal(printSnapshot(again), printSnapshot(saved));
  await assertJudged(saved);
  await assertJudged({ ...saved, settings: SAVED.settings });
}

/** Every detector judges it or says why not; all that is told of it can be told. */
async function assertJudged({ agent, settings, snapshot }: SavedSnapshot): Promise<void> {
  const now = snapshot.takenAt;
  const { verdicts, events } = runDetectors({
    snapshot,
    settings,
    detectors: DETECTORS,
    monotonicMs: () => 0,
  });
  assert.deepEqual(events, []);
  for (const detector of DETECTORS)
    for (const known of Object.values(snapshot.targets)) detector.samples(known);
  const tracker = createTracker({ detectors: DETECTORS });
  const update = { verdicts, snapshot, settings, history: { targets: {} } };
  const changes = [0, 600_000].flatMap((ms) =>
    tracker.update({ ...update, now: now + ms, monotonicMs: ms }),
  );
  const report = tracker.report({ snapshot, settings, now });
  assertDocument(report, agent);
  assertLines(changes);
  // Only the agent itself is scraped, and it runs on a configuration that was checked.
  if (settings !== SAVED.settings) return;
  for (const accept of [undefined, "application/openmetrics-text"])
    await assertMetrics({ agent, settings, snapshot }, { report, accept });
}

function assertDocument(report: FindingsReport, agent: string): void {
  const text = JSON.stringify(findingsDocument(report, { agent }));
  assert.ok(text.length < 16 * 1024 * 1024);
  for (const { summary } of report.active) assert.ok(summary.length <= 2000, summary);
  assert.equal(statusPage(report, { agent }).status, 200);
}

function assertLines(changes: readonly FindingChange[]): void {
  for (const format of ["json", "text"] as const) {
    const lines: string[] = [];
    const stream = { write: (line: string) => void lines.push(line) };
    const sink = createLogSink({ level: "debug", format, stream, event: () => undefined });
    for (const change of changes) sink.change?.(change);
    assert.equal(lines.length, changes.length);
    for (const line of lines) assert.ok(format === "text" || Buffer.byteLength(line) <= 8192);
  }
}

async function assertMetrics(
  { agent, settings, snapshot }: SavedSnapshot,
  { report, accept }: { readonly report: FindingsReport; readonly accept: string | undefined },
): Promise<void> {
  const sink = createPrometheusSink({
    snapshot: () => snapshot,
    report: () => report,
    settings: () => settings,
    process: () => ({ cpuSeconds: 1, residentBytes: 1, startedAt: 0 }),
    clock: { now: () => snapshot.takenAt, shown: (at) => at },
    codes: DETECTORS,
    upstreamOf: (target) => upstreamName(target).name,
    build: { version: agent, node: "v24.0.0" },
  });
  const { body } = await sink.render(accept);
  assertExposition(body, accept === undefined ? "text" : "openmetrics");
  assert.ok(body.split("\n").filter((line) => !line.startsWith("#")).length <= 1001);
}

export const snapshotTexts = defineProperty({
  name: "snapshot-texts",
  runs: 5,
  input: mutated([PRINTED], ['"__proto__":', "1e999", "-0", "null", "[]", "{}", '"app"']),
  check: assertReads,
});

export const snapshotEdits = defineProperty({
  name: "snapshot-edits",
  runs: 8,
  input: fc.array(treeEdit, { minLength: 1, maxLength: 25 }),
  check: (edits) => assertReads(JSON.stringify(edited(JSON.parse(PRINTED), edits) ?? null)),
});

/** Facts of every shape that the reader accepts, likely or not. */
export const snapshotShapes = defineProperty({
  name: "snapshot-shapes",
  runs: 8,
  input: fc.record({
    takenAt: fc.constantFrom(1_768_478_400_000, 0, 8.64e15, -1, 1e300),
    isOwnSettings: fc.boolean(),
    settings: fromSchema(settingsSchema),
    app: fromSchema(targetSnapshot),
    inventory: fromSchema(targetSnapshot),
    agent: fromSchema(targetSnapshot),
  }),
  check({ takenAt, isOwnSettings, settings, app, inventory, agent }) {
    const targets = { app, inventory, "grpc-doctor": agent };
    const own = isOwnSettings ? settings : SAVED.settings;
    return assertReads(
      JSON.stringify({ format: 1, agent: "1.0.0", takenAt, settings: own, targets }),
    );
  },
});
