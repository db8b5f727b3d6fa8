import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import type { Program } from "../../src/cli/program.ts";
import type { RunOptions } from "../../src/cli/tools.ts";
import { ConfigError } from "../../src/config/fault.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { runLine } from "./run-line.ts";

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "config.yaml");
const ca = join(folder, "ca.pem");
const target = (name: string) =>
  `targets: [{ name: ${name}, address: a:1, tls: { ca: ca.pem } }]\n`;

beforeEach(() => {
  writeFileSync(file, target("orders"));
  writeFileSync(ca, "a certificate");
});

/** A daemon's reader, and how often it asked another process: here one that is as near as can be. */
async function start(change: Partial<Program> = {}) {
  const asked: (readonly string[])[] = [];
  const clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 }; // The files are old.
  const askApart = async (words: readonly string[]) => {
    asked.push(words);
    let told = "";
    const tellParent = async (message: unknown) => void (told = JSON.stringify(message));
    await runLine(words, { tellParent, clock, ...change });
    return JSON.parse(told);
  };
  const started: RunOptions[] = [];
  const runAgent = async (_program: unknown, options: RunOptions) => void started.push(options);
  await runLine(["run", "--config", file], { askApart, clock, ...change }, { runAgent });
  const [options] = started;
  return { asked, options, read: async () => options?.reload?.() };
}

it("reads a file in a process of its own, which says what would be read here", async () => {
  const apart = await start();
  const here = await start({ askApart: () => Promise.reject(new Error("no process to be had")) });
  expect(apart.asked).toEqual([["read-settings", file]]);
  expect(here.asked).toEqual([]);
  expect(apart.options).toMatchObject({ settings: { targets: [{ name: "orders" }] }, file });
  expect(apart.options?.settings).toStrictEqual(here.options?.settings);
});

it("reads again only when the file changed, or one that it names", async () => {
  const { asked, read } = await start();
  await read();
  await read();
  expect(asked).toHaveLength(1);

  writeFileSync(file, target("payments"));
  expect(await read()).toMatchObject({ targets: [{ name: "payments" }] });
  expect(asked).toHaveLength(2);

  rmSync(ca);
  await expect(read()).rejects.toThrow(`${file}:1:54: targets[0].tls.ca: found ca.pem`);
  await expect(read()).rejects.toThrow(ConfigError);
  expect(asked).toHaveLength(3);

  writeFileSync(ca, "a certificate");
  expect(await read()).toMatchObject({ targets: [{ name: "payments" }] });
  expect(asked).toHaveLength(4);
});

it("reads a file again that was written a moment ago: a later write may have the same time", async () => {
  const { asked, read } = await start({ clock: systemClock });
  await read();
  expect(asked).toHaveLength(2);
});

it("reads a file again that it lacked the means to read", async () => {
  const faults = [{ file, line: 1, column: 1, path: "(file)", found: "EMFILE", allowed: "YAML" }];
  const answers: object[] = [];
  const { options, read } = await start({
    askApart: async () => answers.shift() ?? Promise.reject(new Error("read it here")),
  });
  answers.push({ faults, shortage: "EMFILE", stood: [], isSettled: false });
  writeFileSync(file, target("payments"));
  await expect(read()).rejects.toMatchObject({ name: "ConfigError", shortage: "EMFILE" });
  expect(await read()).toMatchObject({ targets: [{ name: "payments" }] });
  expect(options?.settings).toMatchObject({ targets: [{ name: "orders" }] });
});

it("tells nobody but its parent", async () => {
  const { exit, stdout, stderr } = await runLine(["read-settings", file]);
  expect({ exit, stdout, stderr }).toMatchObject({ exit: 2, stdout: "" });
  expect(stderr).toContain("only the daemon runs this");
});
