import { expect, it } from "vitest";
import { negotiate } from "../../src/sinks/prometheus/negotiate.ts";
import { aTargetSnapshot, knownFacts, someHealth } from "../support/snapshot.ts";
import {
  aProbeSpec,
  aReport,
  aRun,
  aTarget,
  CODES,
  someSettings,
  startSink,
} from "./prometheus-values.ts";
import { aFinding } from "./values.ts";

const OPENMETRICS = "application/openmetrics-text;version=1.0.0";
const PROMETHEUS_3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

it.each([
  [undefined, "text"],
  ["", "text"],
  ["*/*", "text"],
  ["text/plain", "text"],
  ["text/html,*/*;q=0.8", "text"],
  ["application/json", "text"],
  [OPENMETRICS, "openmetrics"],
  ["application/openmetrics-text", "openmetrics"],
  ['application/openmetrics-text; version="1.0.0"; charset=utf-8', "openmetrics"],
  ["application/openmetrics-text;version=2.0.0", "text"],
  [PROMETHEUS_3, "openmetrics"],
  ["application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.9", "text"],
  ["application/openmetrics-text;q=0", "text"],
  ["application/openmetrics-text;q=x", "text"],
  [`${"x/y,".repeat(400)}${OPENMETRICS}`, "text"],
])("answers %s with %s", (accept, format) => {
  expect(negotiate(accept)).toBe(format);
});

it("names its format", async () => {
  const { sink } = startSink();
  const text = await sink.render("*/*");
  expect(text.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  const open = await sink.render(OPENMETRICS);
  expect(open.contentType).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(open.body.endsWith("\n# EOF\n")).toBe(true);
});

it("gives the same text before and after a scrape in OpenMetrics", async () => {
  const { sink } = startSink();
  const before = await sink.render(undefined);
  await sink.render(OPENMETRICS);
  const after = await sink.render(undefined);
  expect(after).toEqual(before);
});

it("has the same samples in both formats", async () => {
  const { sink, world } = startSink();
  world.settings = someSettings({ probes: [aProbeSpec()] });
  sink.observe?.(aRun({ outcome: "failed", reason: "deadline", status: "DEADLINE_EXCEEDED" }));
  const samples = async (accept?: string) => {
    const { body } = await sink.render(accept);
    const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return lines.map((line) => line.split(" # ", 1)[0]);
  };
  expect(await samples(OPENMETRICS)).toEqual(await samples());
});

it("leads from a bucket and a failure to the trace of the run, in OpenMetrics alone", async () => {
  const { sink, world, lines } = startSink();
  world.settings = someSettings({ probes: [aProbeSpec()] });
  sink.observe?.(aRun({ outcome: "failed", reason: "deadline", durationMs: 500 }));
  const ids = 'trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"';
  const [bucket] = (await lines("grpc_doctor_probe_duration_seconds_bucket", OPENMETRICS)).filter(
    (line) => line.includes('le="0.5"'),
  );
  expect(bucket).toMatch(new RegExp(` 1 # \\{${ids}\\} 0\\.5 \\d+(\\.\\d+)?$`));
  const [failure] = (await lines("grpc_doctor_probe_failures_total", OPENMETRICS)).filter((line) =>
    line.includes("deadline"),
  );
  expect(failure).toMatch(new RegExp(` 1 # \\{${ids}\\} 1 \\d+(\\.\\d+)?$`));
  expect((await sink.render(undefined)).body).not.toContain("trace_id");
});

it("has no exemplar for a run that was not sampled", async () => {
  const { sink, world } = startSink();
  world.settings = someSettings({ probes: [aProbeSpec()] });
  sink.observe?.(aRun({ isSampled: false, outcome: "failed" }));
  expect((await sink.render(OPENMETRICS)).body).not.toContain("trace_id");
});

it("escapes what a label may hold", async () => {
  const { world, lines } = startSink();
  const name = 'a"b\\c\nd';
  world.settings = someSettings({
    targets: [aTarget({ health: { services: [name], expect: "SERVING" } })],
  });
  expect(await lines("grpc_doctor_health_transitions_total")).toContain(
    String.raw`grpc_doctor_health_transitions_total{target="app",grpc_service="a\"b\\c\nd"} 0`,
  );
});

it("ends the series of what a reload removes, and begins those of what it adds", async () => {
  const { sink, world, lines } = startSink();
  world.settings = someSettings({ probes: [aProbeSpec("removed"), aProbeSpec("kept")] });
  sink.observe?.(aRun({ probe: "removed" }));
  sink.observe?.(aRun({ probe: "kept" }));
  sink.hear?.({
    kind: "job-finished",
    job: "probe/removed",
    source: "probe",
    target: "app",
    at: 0,
    durationMs: 1,
    lagMs: 0,
  });
  world.settings = someSettings({
    targets: [aTarget(), aTarget({ name: "second" })],
    probes: [aProbeSpec("kept")],
  });
  const { body } = await sink.render(undefined);
  expect(body).not.toContain("removed");
  expect(await lines("grpc_doctor_probe_runs_total")).toEqual([
    'grpc_doctor_probe_runs_total{target="app",probe="kept",grpc_status="OK"} 1',
  ]);
  expect(await lines("grpc_doctor_connection_attempts_total")).toEqual([
    'grpc_doctor_connection_attempts_total{target="app"} 0',
    'grpc_doctor_connection_attempts_total{target="second"} 0',
  ]);
});

it("drops what a stopped job of a removed target still tells", async () => {
  const { sink } = startSink();
  sink.observe?.(aRun({ target: "gone", probe: "gone" }));
  sink.observe?.({
    source: "dns",
    kind: "lookup",
    target: "gone",
    at: 0,
    name: "gone",
    outcome: "failed",
    addresses: [],
    triedNames: [],
    durationMs: 1,
  });
  expect((await sink.render(undefined)).body).not.toContain("gone");
});

/** More targets and probes than there is room for. */
function crowded(targets = 60) {
  const started = startSink();
  const names = Array.from({ length: targets }, (_, index) => `target-${index}`);
  const probes = Array.from({ length: 20 }, (_, index) => aProbeSpec(`probe-${index}`));
  started.world.settings = someSettings({
    targets: names.map((name) => aTarget({ name })),
    probes: probes.map((probe) => ({ ...probe, target: "target-0" })),
  });
  const known = aTargetSnapshot({ facts: knownFacts({ health: someHealth() }) });
  started.world.snapshot = {
    ...started.world.snapshot,
    targets: Object.fromEntries(names.map((name) => [name, known])),
  };
  return started;
}

const sampleCount = (body: string) =>
  body.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;

it("never exceeds 1000 series, folds counters, keeps severities, and counts what it left out", async () => {
  const { sink, lines } = crowded();
  const { body } = await sink.render(undefined);
  expect(sampleCount(body)).toBeLessThanOrEqual(1000);
  expect(await lines("grpc_doctor_finding_severity")).toHaveLength(60 * 2 + 1);
  sink.observe?.(aRun({ target: "target-0", probe: "probe-19", status: "ABORTED" }));
  sink.observe?.(aRun({ target: "target-0", probe: "probe-18", status: "ABORTED" }));
  expect(await lines("grpc_doctor_probe_runs_total")).toContain(
    'grpc_doctor_probe_runs_total{target="other",probe="other",grpc_status="other"} 2',
  );
  const [dropped] = await lines("grpc_doctor_series_dropped_total");
  expect(Number(dropped?.split(" ")[1])).toBeGreaterThan(100);
});

it("cuts what is largest, and there what is well: not the agent's own, and no finding", async () => {
  const { sink, world, lines } = crowded(400);
  world.report = aReport({ active: [aFinding({ target: "target-399", severity: "critical" })] });
  const { body } = await sink.render(undefined);
  expect(sampleCount(body)).toBeGreaterThan(950);
  expect(await lines("grpc_doctor_last_evaluation_timestamp_seconds")).toHaveLength(1);
  const severities = await lines("grpc_doctor_finding_severity");
  expect(severities.length).toBeLessThan(400 * 2);
  expect(severities.filter((line) => line.endsWith(" 3"))).toHaveLength(1);
});

it("counts a dropped series once, however often it is scraped", async () => {
  const { sink, lines } = crowded();
  await sink.render(undefined);
  const first = await lines("grpc_doctor_series_dropped_total");
  const second = await lines("grpc_doctor_series_dropped_total");
  expect(second).toEqual(first);
});

it("knows nothing but the configuration before anything happened", async () => {
  const { world, lines } = startSink();
  world.report = aReport();
  expect(await lines("grpc_doctor_findings_total")).toHaveLength(CODES.length);
  expect(await lines("grpc_doctor_probe_success")).toEqual([]);
});
