import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configJsonSchemaText } from "../../src/config/json-schema.ts";
import { RECORDS } from "../config/records.ts";
import { runLine } from "./run-line.ts";

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
const good = join(folder, "good.yaml");
const bad = join(folder, "bad.yaml");
writeFileSync(
  good,
  "targets: [{ name: app, address: localhost:50051 }]\nprobes: [{ name: get-order, target: app, method: a.B/C }]\n",
);
writeFileSync(bad, "targets: []\n");

it("prints the page of a code", async () => {
  const stdout = "# dns-stale\n\n## What you see\n";
  expect(await runLine("explain dns-stale")).toEqual({ exit: 0, stdout, stderr: "" });
});

it.each([
  ["explain dns-stael", 'explain: "dns-stael" is no code (did you mean dns-stale?)'],
  ["explain zzzzzz", 'explain: "zzzzzz" is no code; grpc-doctor codes lists them'],
  ["explain", "explain: CODE is missing"],
  [
    "demo --fault dns-stael",
    "demo: --fault takes tls-san-mismatch, tls-cert-expired, tls-plaintext-mismatch, loopback-only, dns-stale, dns-failing, deadline-storm, stream-exhaustion, health-not-serving, app-frozen, not-grpc, connection-refused (did you mean dns-stale?)",
  ],
  ["config check", "config check: FILE is missing"],
  ["config check a --config b", "config check: one FILE, not two"],
  [
    "probe get-order",
    "probe: --config FILE is missing, and /etc/grpc-doctor/config.yaml is not there",
  ],
  [
    `probe get-ordr --config ${good}`,
    `probe: ${good} has no probe "get-ordr" (did you mean get-order?)`,
  ],
  [`probe zzzzzz --config ${good}`, `probe: ${good} has no probe "zzzzzz"; it has get-order`],
])("refuses %s", async (line, message) => {
  const outcome = await runLine(line);
  expect({ exit: outcome.exit, first: outcome.stderr.split("\n")[0] }).toEqual({
    exit: 2,
    first: `grpc-doctor ${message}`,
  });
});

it("lists the codes", async () => {
  const { stdout } = await runLine("codes");
  expect(stdout).toBe(`layer    at worst  code             title
dns      warning   dns-stale        Connected to an address that DNS no longer returns
handler  warning   deadline-storm   Calls run into their deadlines
handler  warning   traffic-stopped  No calls arrive (off by default)
agent    warning   config-rejected  The newest configuration was refused
`);
});

it("lists the codes as JSON", async () => {
  const list = JSON.parse((await runLine("codes -o json")).stdout) as unknown[];
  expect(list[2]).toMatchObject({
    code: "traffic-stopped",
    layer: "handler",
    severity: "warning",
    onByDefault: false,
  });
});

it("says that a good file is fine", async () => {
  expect(await runLine(`config check ${good}`)).toEqual({
    exit: 0,
    stdout: `${good}: fine (1 target, 1 probe)\n`,
    stderr: "",
  });
});

it.each(["config check", "config print", "check --config", "probe x --config"])(
  "exits 3 for a bad file: %s",
  async (line) => {
    const stderr = `${bad}:1:10: targets: found an empty list, allowed: at least one target\n1 fault\n`;
    expect(await runLine(`${line} ${bad}`)).toEqual({ exit: 3, stdout: "", stderr });
  },
);

it("prints the configuration in effect", async () => {
  const { exit, stdout } = await runLine(`config print --config ${good}`);
  expect(exit).toBe(0);
  expect(stdout).toContain("    every: 30s\n    deadline: 1s\n");
});

it("prints the JSON Schema", async () => {
  expect((await runLine("config schema")).stdout).toBe(configJsonSchemaText(RECORDS));
});
