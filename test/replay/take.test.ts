import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "vitest";
import { MAIN } from "../support/running-agent.ts";
import { BREAKING } from "./broken.ts";
import { judged, neutral, snapshotFile } from "./snapshot-file.ts";
import { TAKEN } from "./taken.ts";

/** Takes every snapshot of `test/snapshots/` again; one that says something else is to be looked at, and not to be kept. */
describe.concurrent("check --save", () => {
  it.for(Object.entries(BREAKING))(
    "takes %s",
    async ([name, breaking], { expect, onTestFinished }) => {
      const { configuration, seconds, meanwhile } = await breaking({ onTestFinished });
      const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-take-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const [file, saved] = [join(folder, "config.yaml"), join(folder, "saved.json")];
      writeFileSync(file, configuration);
      const look = ["check", "--config", file, "--for", `${seconds}s`, "--save", saved];
      // It exits 1 where something was found.
      const examined = promisify(execFile)(process.execPath, [MAIN, ...look]).catch(
        () => undefined,
      );
      await Promise.all([examined, meanwhile?.()]);
      const text = neutral(readFileSync(saved, "utf8"));
      const { how: _how, ...expected } = TAKEN[name] ?? { how: "", active: [] };
      expect(judged(text)).toEqual({ suspected: [], ...expected });
      writeFileSync(snapshotFile(name), text);
    },
  );
});
