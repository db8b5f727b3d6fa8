import { expect, it } from "vitest";
import type { AgentEvent } from "../../src/model/event.ts";
import type { Finding, FindingTransition } from "../../src/model/finding.ts";
import type { HealthObservation } from "../../src/model/observation.ts";
import { createLogSink, type LogOptions } from "../../src/sinks/log.ts";
import { aChange, aFinding, NOW } from "./values.ts";

function start(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const lost: AgentEvent[] = [];
  const event = (told: AgentEvent) => void lost.push(told);
  const sink = createLogSink({ level: "info", format: "json", stream, event, ...options });
  return { sink, lines, lost, parsed: () => lines.map((line) => JSON.parse(line)) };
}

const status = (to: "SERVING" | "NOT_SERVING", service = ""): HealthObservation => ({
  source: "health",
  kind: "status",
  target: "app",
  service,
  status: to,
  via: "watch",
  at: NOW,
});

const crash = (at: number, detector = "dns-stale"): AgentEvent => ({
  kind: "detector-crashed",
  detector,
  target: "app",
  errorText: "x is undefined",
  stack: "Error: x is undefined\n    at detect (dns-stale.ts:1:1)",
  at,
});

const events: readonly AgentEvent[] = [
  {
    kind: "started",
    notYet: [],
    version: "1.0.0",
    targets: 1,
    probes: 2,
    listen: ":19464",
    admin: "127.0.0.1:19465",
    at: NOW,
  },
  { kind: "config-loaded", file: "config.yaml", changed: ["targets"], at: NOW },
  { kind: "config-unchanged", file: "config.yaml", at: NOW },
  {
    kind: "config-rejected",
    file: "config.yaml",
    faults: ["config.yaml:3:5: listen: found 12, allowed host:port"],
    runningOn: "last-good",
    runningSince: NOW - 60_000,
    at: NOW,
  },
  { kind: "config-warning", text: "the configuration is mounted with subPath", at: NOW },
  { kind: "credentials", paths: ["/certs/tls.crt", "/certs/tls.key"], fault: "no end", at: NOW },
  { kind: "credentials", paths: ["/certs/tls.crt", "/certs/tls.key"], at: NOW },
  { kind: "credentials", paths: ["/certs/ca.crt"], fault: "no one", hasNone: true, at: NOW },
  { kind: "sink-failed", sink: "webhook", errorText: "connect ECONNREFUSED", at: NOW },
  { kind: "sink-recovered", sink: "webhook", at: NOW },
  { kind: "sink-failed", sink: "admin", errorText: "listen EADDRINUSE", at: NOW },
  { kind: "sink-recovered", sink: "admin", at: NOW },
  { kind: "sink-dropped", sink: "webhook", count: 2, at: NOW },
  { kind: "sink-dropped", sink: "log", count: 1, at: NOW },
  { kind: "job-failed", job: "dns/app", target: "app", errorText: "no", at: NOW },
  { kind: "spans-dropped", count: 3, at: NOW },
  { kind: "snapshot-written", file: "/snapshots/app.json", at: NOW },
  { kind: "stopping", signal: "SIGTERM", at: NOW },
  crash(NOW),
];

it("writes the lines that its readers parse", async () => {
  const { sink, lines } = start();
  for (const event of events) sink.hear?.(event);
  sink.change?.(aChange());
  sink.change?.(aChange({ transition: "resolved", why: "cleared" }));
  sink.observe?.(status("SERVING"));
  sink.observe?.(status("NOT_SERVING", "order.OrderService"));
  sink.observe?.({
    source: "channelz",
    kind: "capability",
    target: "app",
    available: false,
    at: NOW,
    reason: "UNIMPLEMENTED",
    fix: "Register the channelz service.",
  });
  await expect(lines.join("")).toMatchFileSnapshot("golden/log.jsonl");
});

it("writes what a person reads", async () => {
  const { sink, lines } = start({ format: "text" });
  for (const event of events) sink.hear?.(event);
  sink.change?.(aChange());
  sink.change?.(aChange({ finding: aFinding({ isDrill: true, subject: {} }) }));
  sink.change?.(aChange({ transition: "suppressed", because: "dns-failing" }));
  sink.change?.(aChange({ transition: "resolved", why: "cleared" }));
  await expect(lines.join("")).toMatchFileSnapshot("golden/log.txt");
});

it("tells what cannot be seen once, and again when that changes", () => {
  const { sink, parsed } = start();
  const told = (change: object) =>
    sink.observe?.({
      source: "channelz",
      kind: "capability",
      target: "app",
      available: false,
      reason: "UNIMPLEMENTED",
      at: NOW,
      ...change,
    });
  told({});
  told({ at: NOW + 3_600_000 });
  told({ source: "health", part: "List" });
  told({ source: "kernel", available: true, reason: undefined });
  told({ reason: "PERMISSION_DENIED" });
  told({ available: true, reason: undefined });
  expect(parsed().map(({ msg, level }) => `${level} ${msg}`)).toEqual([
    "info channelz of app cannot be seen: UNIMPLEMENTED",
    "info channelz of app cannot be seen: PERMISSION_DENIED",
    "info channelz of app can be seen",
  ]);
});

it("breaks the texts of a finding before column 60 of a narrow terminal", () => {
  const { sink, lines } = start({ format: "text", width: 60 });
  sink.change?.(aChange({ finding: aFinding({ remedy: "word ".repeat(40).trim() }) }));
  const rows = lines.join("").split("\n");
  expect(rows.filter((row) => row.includes("word") && row.length > 60)).toEqual([]);
  expect(rows.find((row) => row.includes("word"))).toBe(
    `               remedy    ${"word ".repeat(7).trim()}`,
  );
});

it("breaks the texts of a finding before column 100, below where they begin", () => {
  const { sink, lines } = start({ format: "text" });
  sink.change?.(aChange({ finding: aFinding({ remedy: "word ".repeat(40).trim() }) }));
  const rows = lines.join("").split("\n");
  expect(rows.filter((row) => row.length > 100)).toEqual([]);
  expect(rows.filter((row) => row.includes("word"))).toEqual([
    `               remedy    ${"word ".repeat(15).trim()}`,
    `                         ${"word ".repeat(15).trim()}`,
    `                         ${"word ".repeat(10).trim()}`,
  ]);
});

it("paints only where colour is wanted", () => {
  const { sink, lines } = start({ format: "text", colour: true });
  sink.hear?.({ kind: "stopping", signal: "SIGTERM", at: NOW });
  expect(lines).toEqual(["08:00:00 \u001b[32minfo \u001b[0m stops (SIGTERM)\n"]);
});

it.each<[Finding["severity"], FindingTransition, string, number]>([
  ["critical", "opened", "error", 17],
  ["warning", "opened", "warn", 13],
  ["info", "opened", "info", 9],
  ["critical", "escalated", "error", 17],
  ["warning", "reminded", "warn", 13],
  ["critical", "resolved", "info", 9],
  ["critical", "suppressed", "info", 9],
])("tells %s %s at %s", (severity, transition, level, number) => {
  const { sink, parsed } = start();
  sink.change?.(aChange({ transition, finding: aFinding({ severity }) }));
  expect(parsed()).toMatchObject([
    {
      level,
      severity_number: number,
      time: "2027-01-15T08:00:00.000Z",
      "otel.event.name": `grpc_doctor.finding.${transition}`,
      finding: { code: "tls-san-mismatch" },
    },
  ]);
});

it("gives the trace of the run that showed the finding, at the top", () => {
  const { sink, parsed } = start();
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  sink.change?.(aChange({ finding: aFinding(ids) }));
  expect(parsed()).toMatchObject([{ trace_id: ids.traceId, span_id: ids.spanId }]);
});

it("keeps the log level", () => {
  const { sink, lines } = start({ level: "error" });
  sink.change?.(aChange({ finding: aFinding({ severity: "warning" }) }));
  expect(lines).toEqual([]);
});

it("is silent while health stays, and tells each change once", () => {
  const { sink, parsed } = start();
  sink.observe?.(status("SERVING"));
  sink.observe?.(status("SERVING"));
  sink.observe?.(status("NOT_SERVING"));
  sink.observe?.(status("NOT_SERVING"));
  const told = parsed().map(({ level, msg, from, to }) => ({ level, msg, from, to }));
  expect(told).toEqual([
    {
      level: "info",
      msg: "health of app: SERVING",
      from: undefined,
      to: "SERVING",
    },
    {
      level: "info",
      msg: "health of app: SERVING → NOT_SERVING",
      from: "SERVING",
      to: "NOT_SERVING",
    },
  ]);
});

it("tells twenty changes of health in a minute, then how many it kept back", () => {
  const { sink, parsed } = start();
  const turned = (n: number): HealthObservation => ({
    ...status(n % 2 === 0 ? "SERVING" : "NOT_SERVING"),
    at: NOW + n * 10,
  });
  for (const n of Array.from({ length: 1_001 }, (_, at) => at)) sink.observe?.(turned(n));
  sink.observe?.({ ...turned(1_001), at: NOW + 60_000 });
  expect(parsed().map(({ keptBack }) => keptBack)).toEqual([...Array(20).fill(undefined), 981]);
  expect(parsed().at(-1)).toMatchObject({ from: "SERVING", to: "NOT_SERVING" });
});

it("tells twenty changes of what can be seen in a minute, of each target", () => {
  const { sink, parsed } = start();
  const blind = (n: number, target: string) =>
    ({
      source: "metrics",
      kind: "capability",
      target,
      available: false,
      reason: `the endpoint answers with HTTP ${n}`,
      at: NOW + n,
    }) as const;
  for (const n of Array.from({ length: 100 }, (_, at) => at)) sink.observe?.(blind(n, "app"));
  sink.observe?.(blind(100, "other"));
  expect(parsed().map(({ target }) => target)).toEqual([...Array(20).fill("app"), "other"]);
});

it("warns of a probe that cannot run, and only informs of what nobody asked for by name", () => {
  const { sink, parsed } = start();
  const seen = { kind: "capability", target: "app", at: NOW, part: "get-order" } as const;
  sink.observe?.({ ...seen, source: "files", available: false, reason: "ENOENT" });
  sink.observe?.({ ...seen, source: "probe", available: false, reason: "no method GetOrde" });
  sink.observe?.({ ...seen, source: "probe", available: true });
  expect(parsed().map(({ level, msg }) => [level, msg])).toEqual([
    ["info", "files (get-order) of app cannot be seen: ENOENT"],
    ["warn", "probe (get-order) of app cannot be seen: no method GetOrde"],
    ["info", "probe (get-order) of app can be seen"],
  ]);
});

it("tells a drain when it begins and when it ends", () => {
  const { sink, parsed } = start();
  const listener = { address: "::", port: 50_051, queued: 0 };
  const kernel = (listeners: readonly (typeof listener)[], later: number) =>
    ({ source: "kernel", kind: "read", target: "app", at: NOW + later, listeners }) as never;
  sink.observe?.(kernel([listener], -1000));
  sink.observe?.({ source: "drain", kind: "signal", target: "app", at: NOW, by: "command" });
  sink.observe?.(kernel([listener], 500));
  sink.observe?.(kernel([], 1500));
  sink.observe?.(kernel([], 2000));
  expect(parsed().map(({ level, msg }) => [level, msg])).toEqual([
    ["info", "app began to drain"],
    ["info", "app drained in 1.5 s"],
  ]);
});

it("tells a drain whose port never closed as ended once the target serves again", () => {
  const { sink, parsed } = start();
  const status = (word: "SERVING" | "NOT_SERVING", later: number) =>
    ({
      source: "health",
      kind: "status",
      target: "app",
      service: "",
      via: "watch",
      status: word,
      at: NOW + later,
    }) as never;
  sink.observe?.(status("SERVING", -1000));
  sink.observe?.({ source: "drain", kind: "signal", target: "app", at: NOW, by: "command" });
  sink.observe?.(status("NOT_SERVING", 500));
  sink.observe?.(status("SERVING", 62_000));
  sink.observe?.(status("SERVING", 72_000));
  const told = parsed().filter(({ msg }) => !msg.startsWith("health"));
  expect(told.map(({ level, msg }) => [level, msg])).toEqual([
    ["info", "app began to drain"],
    ["info", "app serves again, 62 s after it began to drain"],
  ]);
});

it("says at the start which of its listeners could not be had", () => {
  const { sink, parsed } = start();
  sink.hear?.({
    kind: "started",
    at: NOW,
    version: "1.0.0",
    targets: 1,
    probes: 0,
    listen: ":19464",
    admin: "127.0.0.1:19465",
    notYet: ["listen"],
  });
  expect(parsed()[0]).toMatchObject({
    msg: "grpc-doctor 1.0.0 watches 1 target with 0 probes; no metrics yet, as :19464 cannot be had, findings on 127.0.0.1:19465",
    notYet: ["listen"],
  });
});

it("tells a bug that strikes at every run once a minute, with how many it kept back", () => {
  const { sink, parsed } = start();
  sink.hear?.(crash(NOW));
  sink.hear?.(crash(NOW + 1000));
  sink.hear?.(crash(NOW + 59_999));
  sink.hear?.(crash(NOW + 2000, "l4-pinning"));
  sink.hear?.(crash(NOW + 60_000));
  const told = parsed().map(({ time, detector, keptBack }) => [
    time.slice(14, 19),
    detector,
    keptBack,
  ]);
  expect(told).toEqual([
    ["00:00", "dns-stale", undefined],
    ["00:02", "l4-pinning", undefined],
    ["01:00", "dns-stale", 2],
  ]);
});

it.each([
  ["long evidence", { evidence: { note: "kept", sans: Array(2000).fill("a.b") } }],
  [
    "many keys",
    {
      evidence: Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`key${n}`, n])),
    },
  ],
  ["a long summary", { summary: "x".repeat(20_000) }],
  ["a long remedy", { remedy: "é".repeat(20_000), evidence: {} }],
  ["many consequences", { consequences: Array(900).fill("health-flapping@inventory") }],
])("stays within 8 KiB with %s", (_what, change) => {
  const { sink, lines, parsed } = start();
  sink.change?.(aChange({ finding: aFinding(change as Partial<Finding>) }));
  expect(Buffer.byteLength(lines[0] ?? "")).toBeLessThanOrEqual(8192);
  expect(parsed()).toMatchObject([{ finding: { code: "tls-san-mismatch", truncated: true } }]);
});

it("cuts the longest evidence first", () => {
  const { sink, parsed } = start();
  const evidence = { note: "kept", sans: Array(2000).fill("a.b") };
  sink.change?.(aChange({ finding: aFinding({ evidence }) }));
  expect(parsed()[0].finding.evidence).toEqual({ note: "kept" });
});

it("holds so much for a reader that stands still, and says what it lost meanwhile", () => {
  const read: string[] = [];
  const stream = { writableLength: 0, write: (line: string) => void read.push(line) };
  const { sink, lost } = start({ stream });
  const stop = (signal: string) => sink.hear?.({ kind: "stopping", signal, at: NOW });
  stream.writableLength = 256 * 1024 - 1;
  stop("just taken");
  stream.writableLength = 256 * 1024;
  stop("lost");
  stop("lost too");
  sink.hear?.({ kind: "stalled", lateMs: 900, at: NOW }); // below the level: nothing is lost
  stream.writableLength = 0;
  stop("told again");
  stop("and again");
  const one = { kind: "sink-dropped", sink: "log", count: 1, at: NOW };
  expect(lost).toEqual([one, one]);
  expect(read.map((line) => JSON.parse(line).msg)).toEqual([
    "stops (just taken)",
    "log lost 2 messages",
    "stops (told again)",
    "stops (and again)",
  ]);
});

it("writes nothing to a reader that is gone, and ends without it", async () => {
  const read: string[] = [];
  const stream = {
    writable: false,
    writableLength: 9,
    write: (line: string) => void read.push(line),
  };
  const { sink, lost } = start({ stream });
  sink.hear?.({ kind: "stopping", signal: "SIGTERM", at: NOW });
  expect(lost).toHaveLength(1);
  expect(read).toEqual([]);
  await sink.close?.(new AbortController().signal);
});

it("ends when its lines are read, or its time is up", async () => {
  const taken: (() => void)[] = [];
  const write = (_line: string, done?: () => void) => void (done && taken.push(done));
  const { sink } = start({ stream: { writableLength: 9, write } });
  const read = sink.close?.(new AbortController().signal);
  for (const done of taken) done();
  await read;
  const up = new AbortController();
  const never = sink.close?.(up.signal);
  up.abort();
  await never;
  expect(taken).toHaveLength(2);
});

it("counts the lines that a reader who is gone did not take, each once, and says so later", () => {
  let isGone = true;
  const taken: string[] = [];
  const stream = {
    write(line: string, done?: (error?: Error | null) => void) {
      if (!isGone) taken.push(line);
      done?.(isGone ? new Error("write EPIPE") : null);
    },
  };
  const { sink, lost } = start({ stream });
  const stop = () => sink.hear?.({ kind: "stopping", signal: "SIGTERM", at: NOW });
  stop();
  stop();
  stop();
  isGone = false;
  stop();
  expect(lost).toHaveLength(3);
  expect(taken.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    "log lost 3 messages",
    "stops (SIGTERM)",
  ]);
});

it("tells events by the wall clock as it goes now, and changes as they are", () => {
  const { sink, parsed } = start({ shown: (at) => at + 3_600_000 });
  sink.hear?.({
    kind: "config-rejected",
    at: NOW,
    file: "c.yaml",
    faults: [],
    runningOn: "default",
    runningSince: NOW,
  });
  sink.observe?.(status("SERVING"));
  sink.change?.(aChange({}));
  expect(parsed().map(({ time, runningSinceAt }) => ({ time, runningSinceAt }))).toEqual([
    { time: "2027-01-15T09:00:00.000Z", runningSinceAt: "2027-01-15T09:00:00.000Z" },
    { time: "2027-01-15T09:00:00.000Z", runningSinceAt: undefined },
    { time: "2027-01-15T08:00:00.000Z", runningSinceAt: undefined },
  ]);
});
