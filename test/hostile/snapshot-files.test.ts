import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { printSnapshot } from "../../src/config/print-snapshot.ts";
import { SAVED } from "../support/saved-snapshot.ts";

/** Snapshots made by a stranger, judged by `check --from` as its user runs it, in a heap of 192 MiB. */
const MAIN = fileURLToPath(new URL("../../dist/lib/bin/main.js", import.meta.url));
const MIB = 2 ** 20;
const good = printSnapshot(SAVED);

test.for([
  ["a nest of eight million", "[".repeat(8 * MIB) + "]".repeat(8 * MIB), "deeper than 64 levels"],
  ["five million lists", `[${"[],".repeat(5 * MIB)}1]`, "more than 1000000 values"],
  ["a text of seventeen mebibytes", " ".repeat(17 * MIB), "longer than 16 MiB"],
  ["one text of sixteen", `"${"x".repeat(16 * MIB - 2)}"`, "(file)"],
  ["a quote without end", `"${'\\"'.repeat(8 * MIB - 1)}`, "not JSON"],
  ["an instant after all time", good.replace(/"takenAt": ?\d+/, '"takenAt":1e300'), "takenAt"],
  ["an instant before it", good.replace(/"takenAt": ?\d+/, '"takenAt":-1e300'), "takenAt"],
] as const)("%s is refused in one line", async ([, text, fault], { onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "stranger.json");
  writeFileSync(file, text);
  const { exit, stderr } = await judged(file);
  expect({ exit, lines: stderr.split("\n").length, stderr }).toEqual({
    exit: 2,
    lines: 2,
    stderr: expect.stringContaining(`${file}: ${fault}`),
  });
  expect(stderr.length).toBeLessThan(500);
});

test("a file without end is read no further than a snapshot can be", async () => {
  expect(await judged("/dev/zero")).toEqual({
    exit: 2,
    stderr: "grpc-doctor: /dev/zero: longer than 16 MiB: no snapshot\n",
  });
});

function judged(file: string): Promise<{ readonly exit: number | null; readonly stderr: string }> {
  const argv = ["--max-old-space-size=192", MAIN, "check", "--from", file];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, argv, (_error, _stdout, stderr) =>
      resolve({ exit: child.exitCode, stderr }),
    );
  });
}
