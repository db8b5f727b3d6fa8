import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { agentTools } from "../../src/cli/agent-tools.ts";
import type { ExamineOptions, Seen } from "../../src/cli/tools.ts";
import type { Finding } from "../../src/model/finding.ts";
import { findingsDocument } from "../../src/model/findings-document.ts";
import type { XrayReport } from "../../src/model/xray.ts";
import { issueCa } from "../support/certificates.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
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
  pending: [
    { ...aFinding({ code: "config-rejected" }), activeInSeconds: 12.4 },
    { ...aFinding({ code: "not-grpc" }), activeInSeconds: 590 },
  ],
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

it("shows what a server made up as text, and obeys none of it", async () => {
  const finding = aFinding({ summary: "a\u001b]0;owned\u0007\u202eb" });
  const isTerminal = { stdout: true, stderr: true };
  const examine = async () => seen(aReport({ active: [finding] }));
  const { stdout } = await runLine("check a:1", { isTerminal }, { examine });
  expect(stdout).toContain("a\\u001b]0;owned\\u0007\\u202eb");
  expect(stdout).not.toMatch(/[\p{Cc}\u202e](?<!\n|\p{Cc}(?=\[\d+m))/u);
});

it("saves what it saw for its user alone", async () => {
  const file = join(folder, "saved.json");
  await runLine(["check", "a:1", "--save", file], {}, { examine: async () => seen(aReport()) });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("prints the findings document", async () => {
  const { stdout } = await runLine("check a:1 -o json", {}, { examine: async () => seen(SICK) });
  expect(JSON.parse(stdout)).toEqual(findingsDocument(SICK, { agent: "1.2.3" }));
});

/** What the look showed of the connection, in place of a passed X-ray; `undefined`: nothing. */
function seenBy(xray: Partial<XrayReport> | undefined, report = aReport()): Seen {
  const { app } = SNAPSHOT.targets;
  const known = app?.facts.xray;
  if (app === undefined || known?.state !== "known") throw new Error("the snapshot has an X-ray");
  const latest = { ...known.value.latest, ...xray };
  const facts = { ...app.facts, xray: { ...known, value: { ...known.value, latest } } };
  const { xray: _none, ...nothing } = app.facts;
  const target = { ...app, facts: xray === undefined ? nothing : facts };
  return { ...seen(report), snapshot: { ...SNAPSHOT, targets: { app: target } } };
}

it("says at how many of a name's addresses it looked, where it has several", async () => {
  const line = async (addressCount: number) => {
    const { stdout } = await runLine(
      "check localhost:50051",
      {},
      { examine: async () => seenBy({ addressCount }) },
    );
    return /^ +addresses +(.*)$/m.exec(stdout)?.[1];
  };
  expect([await line(1), await line(7)]).toEqual([undefined, "looked at 0 of 7"]);
});

const pending = (change: Partial<Finding>) =>
  aReport({ pending: [{ ...aFinding(change), activeInSeconds: 26 }] });
const NXDOMAIN = { outcome: "failed", phase: "dns", reason: "nxdomain" } as const;

it.each<[string, Seen, string, number]>([
  ["never seen", seenBy(undefined), "app was not seen yet (look longer with --for)", 1],
  [
    "unreachable, and nobody knows why",
    seenBy(NXDOMAIN),
    "app could not be examined beyond dns: the name does not exist",
    1,
  ],
  [
    "closed to who has no certificate",
    seenBy({ outcome: "unsupported", phase: "tls", reason: "client_certificate_required" }),
    "app could not be examined beyond tls: the server asks for a client certificate",
    1,
  ],
  [
    "suspected of what --fail-on names",
    seen(pending({ code: "deadline-storm" })),
    "deadline-storm is suspected on app",
    1,
  ],
  [
    "suspected of less",
    seen(pending({ code: "deadline-storm", severity: "warning" })),
    "deadline-storm is suspected on app",
    0,
  ],
  [
    "silent, and suspected of what may come of it",
    seenBy(
      { outcome: "failed", phase: "http2", reason: "settings_timeout" },
      pending({ code: "accept-queue-overflow", severity: "warning" }),
    ),
    "app could not be examined beyond http2: settings timeout; accept-queue-overflow is suspected on app",
    1,
  ],
])("does not pass a target as fine that is %s", async (_how, look, doubt, exit) => {
  const tools = { examine: async () => look };
  const text = await runLine("check localhost:50051", {}, tools);
  const verdict = text.stdout.trimEnd().split("\n\n").at(-1)?.replace(/\n +/, " ");
  expect(verdict).toBe(`Nothing found for certain: ${doubt}.`);
  expect({ exit: text.exit, stderr: text.stderr }).toEqual({ exit, stderr: "" });
  const json = await runLine("check localhost:50051 -o json", {}, tools);
  expect({ exit: json.exit, stderr: json.stderr }).toEqual({
    exit,
    stderr: doubt
      .replace(/(^|; )/g, "\ngrpc-doctor check: ")
      .slice(1)
      .concat("\n"),
  });
  expect((await runLine("check localhost:50051 --fail-on never", {}, tools)).exit).toBe(0);
});

it("exits 0 where the target answered a call with a refusal", async () => {
  const look = seenBy({ outcome: "unsupported", phase: "rpc" });
  const tools = { examine: async () => look };
  expect((await runLine("check localhost:50051", {}, tools)).exit).toBe(0);
});

it("exits 1 where nobody could look, though what says why is let pass, and says it once", async () => {
  const look = seenBy(NXDOMAIN, aReport({ active: [aFinding({ severity: "warning" })] }));
  const tools = { examine: async () => look };
  const { exit, stdout } = await runLine("check localhost:50051", {}, tools);
  expect({ exit, last: stdout.trimEnd().split("\n\n").at(-1) }).toEqual({
    exit: 1,
    last: "1 finding: dns-stale.",
  });
  expect((await runLine("check localhost:50051 --fail-on never", {}, tools)).exit).toBe(0);
});

it("puts every code in one place, against a real server", async () => {
  const server = await startGrpcServer();
  onTestFinished(server.crash);
  const { exit, stdout } = await runLine(`check ${server.address} --for 1s`, {}, agentTools);
  const codes = (await agentTools.detectors())
    .filter(({ layer, onByDefault = true }) => layer !== "agent" && onByDefault)
    .map(({ code }) => code);
  const places = codes.map((code) => {
    const found = stdout.match(new RegExp(`(?<![\\w-])${code}(?![\\w-])`, "g")) ?? [];
    return `${code} ${found.length}`;
  });
  expect(places).toEqual(codes.map((code) => `${code} 1`));
  expect(exit).toBe(0);
  expect(stdout).toContain("app: no TLS is spoken: tls-alpn-missing, ");
  expect(stdout).toContain("app: the address is a literal: dns-failing\n");
  expect(stdout).toContain("✔ listen");
});

it("calls nothing well of what only a connection shows, where none was had", async () => {
  const server = await startGrpcServer();
  server.crash();
  const { exit, stdout } = await runLine(`check ${server.address} --for 1s`, {}, agentTools);
  const marks = [...stdout.matchAll(/✔ (\w+)/g)].map(([, layer]) => layer);
  expect(marks).toEqual(["listen"]);
  expect(stdout).toContain("app: no connection was had to look at\n");
  expect(exit).toBe(1);
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
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, (await issueCa()).cert);
  await runLine(
    [
      "check",
      "orders:50051",
      "-cacert",
      ca,
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
        tls: { mode: "tls", ca },
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

it("reads no more of a file than a snapshot can be", async () => {
  const { exit, stderr } = await runLine("check --from /dev/zero");
  expect({ exit, stderr }).toEqual({
    exit: 2,
    stderr: "grpc-doctor: /dev/zero: longer than 16 MiB: no snapshot\n",
  });
});

it("tells the report, and that the snapshot cannot be written", async () => {
  const examine = async () => seen();
  const without = await runLine("check a:1", {}, { examine });
  expect(await runLine("check a:1 --save /none/saved.json", {}, { examine })).toEqual({
    exit: 2,
    stdout: without.stdout,
    stderr:
      "grpc-doctor check: --save /none/saved.json cannot be written (ENOENT); - is stdout\nSee grpc-doctor check --help.\n",
  });
});

it("writes the snapshot to standard output, where there is no place for a file", async () => {
  const examine = async () => seen();
  const { stdout: report } = await runLine("check a:1", {}, { examine });
  const { exit, stdout, stderr } = await runLine("check a:1 --save -", {}, { examine });
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: report });
  expect(JSON.parse(stdout)).toMatchObject({ agent: "1.2.3" });
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
  ["check a:1 -H x", "-H takes 'KEY: VALUE', with quotes around both; what was given is not shown"],
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
