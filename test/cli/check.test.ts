import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { ExamineOptions, Seen } from "../../src/cli/tools.ts";
import { findingsDocument } from "../../src/model/findings-document.ts";
import { aFinding, aReport, SNAPSHOT, someSettings } from "./a-report.ts";
import { runLine } from "./run-line.ts";

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
const seen = (report = aReport()): Seen => ({
  settings: someSettings(),
  snapshot: SNAPSHOT,
  report,
});
const SICK = aReport({
  active: [
    aFinding(),
    aFinding({
      code: "traffic-stopped",
      severity: "info",
      subject: {},
      consequences: [],
      changed: [],
      evidence: {},
    }),
  ],
  pending: [{ ...aFinding({ code: "config-rejected" }), activeInSeconds: 12.4 }],
  suppressed: [
    {
      ...aFinding({ code: "deadline-storm", summary: "5 % of the calls run late" }),
      because: "dns-stale",
    },
  ],
  unjudged: [
    {
      target: "app",
      code: "stream-exhaustion",
      because: "channelz is not served",
      fix: "Register the channelz service.",
    },
    {
      target: "app",
      code: "in-flight-buildup",
      because: "channelz is not served",
      fix: "Register the channelz service.",
    },
  ],
  capabilities: [
    {
      target: "app",
      source: "channelz",
      available: false,
      reason: "UNIMPLEMENTED",
      fix: "Register it.",
      since: 0,
    },
    { target: "app", source: "health", available: true, since: 0 },
  ],
});

it("reports as a doctor on a healthy server", async () => {
  const { exit, stdout } = await runLine(
    "check localhost:50051",
    {},
    { examine: async () => seen() },
  );
  await expect(stdout).toMatchFileSnapshot("golden/check-healthy.txt");
  expect(exit).toBe(0);
});

it("reports as a doctor on a sick server, and exits 1", async () => {
  const { exit, stdout } = await runLine(
    "check localhost:50051",
    {},
    { examine: async () => seen(SICK) },
  );
  await expect(stdout).toMatchFileSnapshot("golden/check-sick.txt");
  expect(exit).toBe(1);
});

it.each([
  ["a terminal", { stdout: true, stderr: false }, {}, true],
  ["a pipe", { stdout: false, stderr: true }, {}, false],
  ["a terminal with NO_COLOR", { stdout: true, stderr: true }, { NO_COLOR: "1" }, false],
  ["a dumb terminal", { stdout: true, stderr: true }, { TERM: "dumb" }, false],
])("uses colour as it should on %s", async (_what, isTerminal, environment, isColoured) => {
  const { stdout } = await runLine(
    "check a:1",
    { isTerminal, environment },
    { examine: async () => seen(SICK) },
  );
  expect(stdout.includes("\u001b[")).toBe(isColoured);
});

it("prints the findings document", async () => {
  const { stdout } = await runLine("check a:1 -o json", {}, { examine: async () => seen(SICK) });
  expect(JSON.parse(stdout)).toEqual(findingsDocument(SICK, { agent: "1.2.3" }));
});

it("does not call a target well that was not seen", async () => {
  const { app } = SNAPSHOT.targets;
  const blind = { ...SNAPSHOT, targets: { app: { ...app, facts: {} } } };
  const { stdout } = await runLine(
    "check localhost:50051",
    {},
    { examine: async () => ({ ...seen(), snapshot: blind }) as Seen },
  );
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(
    "Nothing found for certain; app was not seen yet (look longer with --for).",
  );
});

it("names what is suspected where nothing is certain", async () => {
  const pending = [{ ...aFinding({ code: "health-not-serving" }), activeInSeconds: 26 }];
  const { stdout } = await runLine(
    "check localhost:50051",
    {},
    { examine: async () => seen(aReport({ pending })) },
  );
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(
    "Nothing found for certain; suspected: health-not-serving.",
  );
});

it.each([
  ["critical", 1],
  ["warning", 1],
  ["never", 0],
])("exits as --fail-on %s says", async (failOn, exit) => {
  const report = aReport({ active: [aFinding()] });
  const outcome = await runLine(
    `check a:1 --fail-on ${failOn}`,
    {},
    { examine: async () => seen(report) },
  );
  expect(outcome.exit).toBe(exit);
});

it("exits 0 for a warning where only critical fails", async () => {
  const report = aReport({ active: [aFinding({ severity: "warning" })] });
  expect((await runLine("check a:1", {}, { examine: async () => seen(report) })).exit).toBe(0);
});

it("hands grpcurl's flags on as a target", async () => {
  const asked: ExamineOptions[] = [];
  const examine = async (_program: unknown, options: ExamineOptions) => {
    asked.push(options);
    return seen();
  };
  await runLine(
    [
      "check",
      "orders:50051",
      "-cacert",
      "ca.pem",
      "-authority=orders.shop.svc",
      "-H",
      "X-Tenant: blue",
      "--for",
      "2s",
    ],
    {},
    { examine },
  );
  expect(asked.map(({ forMs, settings }) => ({ forMs, target: settings.targets[0] }))).toEqual([
    {
      forMs: 2000,
      target: {
        name: "app",
        role: "app",
        address: "orders:50051",
        endpoint: { kind: "name", host: "orders", port: 50_051 },
        authority: "orders.shop.svc",
        tls: { mode: "tls", ca: "ca.pem" },
        metadata: [{ key: "x-tenant", value: { kind: "literal", value: "blue" } }],
        health: { services: [""], expect: "SERVING" },
        channelz: { everyMs: 10_000 },
        startupMs: 600_000,
      },
    },
  ]);
});

it("judges what another run has saved", async () => {
  const file = join(folder, "saved.json");
  const saved = await runLine(
    ["check", "a:1", "--save", file],
    {},
    { examine: async () => seen() },
  );
  expect(saved.stderr).toBe(`saved ${file}\n`);
  const { exit, stdout } = await runLine(["check", "--from", file]);
  await expect(stdout).toMatchFileSnapshot("golden/check-from.txt");
  expect(exit).toBe(0);
});

it.each([
  ["{", "not JSON"],
  ["{}", "format: "],
])("says why a file is no snapshot: %j", async (text, why) => {
  const from = join(folder, "bad.json");
  writeFileSync(from, text);
  const { exit, stdout, stderr } = await runLine(["check", "--from", from]);
  expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
  expect(stderr.startsWith(`grpc-doctor: ${from}: ${why}`)).toBe(true);
});

it("says that there is no such file", async () => {
  const { exit, stderr } = await runLine("check --from /none/saved.json");
  expect({ exit, stderr }).toMatchObject({ exit: 2 });
  expect(stderr).toContain("/none/saved.json: ENOENT");
});

it.each([
  ["check", "one of ADDR, --config FILE and --from FILE is needed"],
  ["check a:1 --from x", "one of ADDR, --config FILE and --from FILE is needed"],
  ["check localhost", "ADDR takes localhost:port (the port is needed), not localhost"],
  ["check a:1 --for 10", "--for takes a duration from 1s to 1h, not 10"],
  ["check a:1 --fail-on crit", "--fail-on takes info, warning, critical, never, not crit"],
  ["check a:1 -o yaml", "--output takes text or json, not yaml"],
  ["check a:1 -plaintext -cacert x", "-plaintext and a TLS flag contradict each other"],
  ["check a:1 -insecure -cacert x", "-insecure and -cacert contradict each other"],
  ["check a:1 -cert x", "-cert and -key go together"],
  ["check a:1 -H x", `a header is 'KEY: VALUE', not "x"`],
])("refuses %s", async (line, message) => {
  const stderr = `grpc-doctor check: ${message}\nSee grpc-doctor check --help.\n`;
  expect(await runLine(line)).toEqual({ exit: 2, stdout: "", stderr });
});

it("tells a bug of ours with its stack, and exits 70", async () => {
  const examine = async () => Promise.reject(new TypeError("undefined is not a function"));
  const { exit, stdout, stderr } = await runLine("check a:1", {}, { examine });
  expect({ exit, stdout }).toEqual({ exit: 70, stdout: "" });
  expect(stderr).toMatch(
    /^grpc-doctor: a bug of ours; please report it with this:\nTypeError: undefined is not a function\n +at /,
  );
});
