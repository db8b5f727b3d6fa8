import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import type { RunOptions } from "../../src/cli/tools.ts";
import { ConfigError } from "../../src/config/fault.ts";
import { someSettings } from "./a-report.ts";
import { runLine } from "./run-line.ts";

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
const good = join(folder, "good.yaml");
const bad = join(folder, "bad.yaml");
writeFileSync(good, "targets: [{ name: orders, address: localhost:50051, protoset: bad.yaml }]\n");
writeFileSync(bad, "lisen: 1\n");

const terminal = { isTerminal: { stdout: true, stderr: true } };
let started: RunOptions[] = [];
const runAgent = async (_program: unknown, options: RunOptions) => void started.push(options);
beforeEach(() => {
  started = [];
});

it("watches one address without a file", async () => {
  const { exit } = await runLine("run --target localhost:50051", {}, { runAgent });
  expect({ exit, started }).toEqual({ exit: 0, started: [{ settings: someSettings() }] });
});

it("logs text on a terminal, and lets each flag win over the default", async () => {
  const line = "run -t a:1 --listen :0 --admin 127.0.0.1:0 --log-level debug";
  await runLine(line, terminal, { runAgent });
  expect(started[0]?.settings).toMatchObject({
    listen: { port: 0 },
    admin: { host: "127.0.0.1", port: 0 },
    log: { level: "debug", format: "text" },
  });
});

it("watches several addresses, with what the flags expect of each", async () => {
  const line = ["run", "--target", "localhost:1", "--target", "localhost:2", "--authority", "a.b"];
  const { exit } = await runLine([...line, "--tls", "--cacert", good], {}, { runAgent });
  const told = { authority: "a.b", tls: { mode: "tls", ca: good } };
  expect({ exit, targets: started[0]?.settings.targets }).toMatchObject({
    exit: 0,
    targets: [
      { ...told, name: "app", address: "localhost:1" },
      { ...told, name: "app-2", address: "localhost:2" },
    ],
  });
  const { findings } = started[0]?.settings ?? {};
  expect(findings?.["app-2"]).toEqual(findings?.["app"]);
});

it("expects TLS without the files of a secret that is not there, says so, and takes them when they come", async () => {
  const ca = join(folder, "later.crt");
  const line = ["run", "--target", "localhost:1", "--cacert", ca, "--cert", good, "--key", good];
  await runLine(line, {}, { runAgent });
  const [options] = started;
  expect(options).toMatchObject({
    settings: { targets: [{ tls: { mode: "tls" } }] },
    file: ca,
    rejected: [
      `${ca}:1:1: --cacert: found a file that cannot be read (no such file), allowed: a file`,
    ],
  });
  await expect(options?.reload?.()).rejects.toThrow(ConfigError);
  writeFileSync(ca, "");
  expect((await options?.reload?.())?.targets[0]?.tls).toEqual({
    mode: "tls",
    ca,
    cert: good,
    key: good,
  });
});

it("starts nothing on a terminal when a file of a flag is not there", async () => {
  const line = ["run", "--target", "localhost:1", "--cacert", "/nowhere/ca.crt"];
  const { exit, stderr } = await runLine(line, terminal, { runAgent });
  expect({ exit, stderr, started }).toEqual({
    exit: 3,
    stderr: expect.stringContaining("/nowhere/ca.crt"),
    started: [],
  });
});

it("expects TLS and no certificate, or plaintext, as told", async () => {
  await runLine("run --target a:1 --tls", {}, { runAgent });
  await runLine("run --target a:1 --plaintext", {}, { runAgent });
  expect(started.map(({ settings }) => settings.targets[0]?.tls)).toEqual([
    { mode: "tls" },
    { mode: "plaintext" },
  ]);
});

it.each(["--authority a.b", "--tls"])(
  "does not take %s beside a file, which says it",
  async (flag) => {
    const { exit, stderr } = await runLine(`run --config ${good} ${flag}`, {}, { runAgent });
    expect({ exit, stderr, started }).toEqual({
      exit: 2,
      stderr: expect.stringContaining(
        `${flag.split(" ")[0]} is for --target; with --config the file says it`,
      ),
      started: [],
    });
  },
);

it("runs a file, which it can read again, with paths from its folder", async () => {
  await runLine(["run", "--config", good, "--log-format", "text"], {}, { runAgent });
  const [options] = started;
  expect(options?.file).toBe(good);
  expect(options?.settings.targets[0]).toMatchObject({ name: "orders", protoset: bad });
  expect(await options?.reload?.()).toEqual(options?.settings);
  expect(options?.settings.log.format).toBe("text");
});

it("starts nothing with a bad file on a terminal, and exits 3", async () => {
  const outcome = await runLine(["run", "--config", bad], terminal, { runAgent });
  expect({ ...outcome, started }).toEqual({
    exit: 3,
    stdout: "",
    stderr: `${bad}:1:1: lisen: found an unknown key, allowed: listen, admin, adminToken, log, tracing, webhook, snapshots, targets, probes, findings, ignore (did you mean listen?)
${bad}:1:1: targets: found nothing, allowed: a list with at least one target
2 faults
`,
    started: [],
  });
});

it("runs on the defaults with a bad file in a pod, and hands the faults on", async () => {
  const { exit } = await runLine(["run", "--config", bad], {}, { runAgent });
  const [options] = started;
  expect(exit).toBe(0);
  expect(options?.settings.targets).toEqual([]);
  expect(options?.rejected).toHaveLength(2);
  await expect(options?.reload?.()).rejects.toThrow(ConfigError);
});

it("treats a file that is not there as a bad one", async () => {
  const file = join(folder, "none.yaml");
  const { exit, stderr } = await runLine(["run", "--config", file], terminal, { runAgent });
  expect(exit).toBe(3);
  expect(stderr).toBe(
    `${file}:1:1: (file): found a file that cannot be read (no such file), allowed: a readable YAML file\n1 fault\n`,
  );
});

it.each([
  ["run", "--config FILE or --target ADDR is missing"],
  ["run --config x --target a:1", "either --config or --target, not both"],
  ["run --target a", "--target takes a:port (the port is needed), not a"],
  ["run --target a:1 --log-level loud", "--log-level takes debug, info, warn, error, not loud"],
  ["run --target a:1 --log-format xml", "--log-format takes json, text, not xml"],
])("refuses %s", async (line, message) => {
  const stderr = `grpc-doctor run: ${message}\nSee grpc-doctor run --help.\n`;
  expect(await runLine(line)).toEqual({ exit: 2, stdout: "", stderr });
});
