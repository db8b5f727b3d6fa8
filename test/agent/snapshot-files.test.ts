import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { Core } from "../../src/agent/core.ts";
import { createSnapshotFiles } from "../../src/agent/snapshot-files.ts";
import type { AgentEvent } from "../../src/model/event.ts";
import { rfc3339 } from "../../src/model/time.ts";
import { aChange, aFinding } from "../sinks/values.ts";
import { createManualClock } from "../support/clock.ts";
import { someSettings } from "../support/findings.ts";

let folder: string;
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function start() {
  folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
  const place = join(folder, "snapshots");
  const clock = createManualClock();
  const settings = { ...someSettings([]), snapshots: place };
  const snapshot = { takenAt: clock.now(), targets: {} };
  const core = { settings: () => settings, latest: () => ({ snapshot }) } as unknown as Core;
  const heard: AgentEvent[] = [];
  const files = createSnapshotFiles({
    clock,
    version: "1.0.0",
    core,
    hear: (event) => void heard.push(event),
  });
  return { files, place, clock, heard };
}

it("keeps the newest twenty, and nothing half-written of an earlier life", async () => {
  const { files, place, clock } = start();
  await files.write("first");
  writeFileSync(join(place, "2020-01-01T00-00-00-000Z-cut-off.json.part"), "{");
  writeFileSync(join(place, "notes.txt"), "not ours");
  for (const name of Array.from({ length: 20 }, (_, n) => `n${n}`)) {
    await clock.advance(1_000);
    await files.write(name);
  }
  const names = readdirSync(place).toSorted();
  expect(names).toHaveLength(21);
  expect(names.filter((name) => !/-n\d+\.json$/.test(name))).toEqual(["notes.txt"]);
});

it("writes for what opens, but for a drill", async () => {
  const { files, place, heard } = start();
  files.change(aChange({ finding: aFinding({ isDrill: true }) }));
  files.change(aChange({ transition: "resolved" }));
  files.change(aChange());
  await files.write("stopping");
  const codes = readdirSync(place).map((name) => name.replace(/^.*Z-/, ""));
  expect(codes.toSorted()).toEqual(["stopping.json", "tls-san-mismatch.json"]);
  expect(heard.map(({ kind }) => kind)).toEqual(["snapshot-written", "snapshot-written"]);
  const [first = ""] = readdirSync(place);
  expect(JSON.parse(readFileSync(join(place, first), "utf8"))).toMatchObject({ format: 1 });
});

it("is for the pod's group to read, and follows nobody's link", async () => {
  const { files, place, clock, heard } = start();
  await files.write("one");
  const [one = ""] = readdirSync(place);
  expect(statSync(join(place, one)).mode & 0o777).toBe(0o640 & ~process.umask());
  expect(statSync(place).mode & 0o777).toBe(0o750 & ~process.umask());

  const victim = join(folder, "victim");
  writeFileSync(victim, "precious");
  await clock.advance(1_000);
  const stamp = rfc3339(clock.now()).replace(/[:.]/g, "-");
  symlinkSync(victim, join(place, `${stamp}-two.json.part`));
  await files.write("two");
  expect(readFileSync(victim, "utf8")).toBe("precious");
  expect(heard.at(-1)).toMatchObject({ kind: "sink-failed", sink: "snapshots" });
});

it("tells once that it cannot write, and when it can again", async () => {
  const { files, place, heard } = start();
  writeFileSync(place, "a file where the folder should be");
  await files.write("one");
  await files.write("two");
  rmSync(place);
  await files.write("three");
  expect(heard).toMatchObject([
    { kind: "sink-failed", sink: "snapshots" },
    { kind: "snapshot-written" },
    { kind: "sink-recovered", sink: "snapshots" },
  ]);
});
