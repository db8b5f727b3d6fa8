import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { LONGEST_SNAPSHOT } from "../../config/parse-snapshot.ts";
import { printSnapshot } from "../../config/print-snapshot.ts";
import { parseDuration } from "../../config/units.ts";
import type { FindingsReport, Severity } from "../../model/finding.ts";
import { findingsDocument } from "../../model/findings-document.ts";
import type { Settings } from "../../model/settings.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { exitFor, parseFailOn, parseOutput } from "../fail-on.ts";
import { refuseUnusableFiles } from "../files-on-the-line.ts";
import { readSettings } from "../read-settings.ts";
import { checkReport } from "../report/check-report.ts";
import { type Doubt, doubtsOf, unexaminedTargets } from "../report/doubts.ts";
import { paintFor } from "../report/paint.ts";
import { settingsFromFlags } from "../target-from-flags.ts";
import { withConfiguration } from "../tell-faults.ts";
import { type Seen, SnapshotError } from "../tools.ts";

const DEFAULT_FOR = "5s";

/** One look: observes for a few seconds, or takes a saved snapshot, and reports as a doctor would. */
export function run(call: Call): Promise<number> {
  const { program, given, tools } = call;
  const failOn = parseFailOn(given.texts["fail-on"]);
  const output = parseOutput(given.texts["output"]);
  return withConfiguration(call, async () => {
    const look = await lookAsAsked(call);
    if (look === undefined) return EXIT.usage;
    const { seen, lookedMs } = look;
    const detectors = await tools.detectors();
    const examination = { ...seen, detectors, ...(lookedMs === undefined ? {} : { lookedMs }) };
    const doubts = doubtsOf(examination);
    const told = given.texts["save"] === STDOUT ? "stderr" : "stdout";
    if (output === "json") {
      program[told].write(documentOf(seen.report, program.version));
      for (const { text } of doubts) program.stderr.write(`grpc-doctor check: ${text}\n`);
    } else {
      program[told].write(checkReport(examination, paintFor(program, told)));
    }
    await save(call, seen);
    const unseen = unexaminedTargets(examination).map(() => asCritical({}));
    return exitFor([...seen.report.active, ...doubts.map(asCritical), ...unseen], failOn);
  });
}

/** Where the root is read-only, as in a pod, the snapshot comes out by `--save - > snapshot.json`. */
const STDOUT = "-";

/** After the report, which is told whether or not there is a place for the snapshot. */
async function save({ program, given }: Call, seen: Seen): Promise<void> {
  const file = given.texts["save"];
  if (file === undefined) return;
  const text = printSnapshot({ ...seen, agent: program.version });
  if (file === STDOUT) {
    program.stdout.write(text);
    return;
  }
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    throw new UsageError(`--save ${file} cannot be written (${code ?? "unknown"}); - is stdout`);
  }
  program.stderr.write(`saved ${file}\n`);
}

/** What could not be examined must not pass: it is as bad as it can be, until somebody has seen it. */
function asCritical({ severity = "critical" }: Partial<Doubt>): { readonly severity: Severity } {
  return { severity };
}

function documentOf(report: FindingsReport, agent: string): string {
  return `${JSON.stringify(findingsDocument(report, { agent }), null, 2)}\n`;
}

interface Look {
  readonly seen: Seen;
  readonly lookedMs?: number;
}

async function lookAsAsked(call: Call): Promise<Look | undefined> {
  const { program, given, tools } = call;
  const { from } = given.texts;
  const [address] = given.positionals;
  const named = [address, given.texts["config"], from].filter((one) => one !== undefined);
  if (named.length !== 1)
    throw new UsageError("one of ADDR, --config FILE and --from FILE is needed");
  if (from !== undefined) return lookAtFile(call, from);
  const forMs = lookTime(given.texts["for"] ?? DEFAULT_FOR);
  const settings = await settingsAsked(call, address);
  if (program.isTerminal.stderr)
    program.stderr.write(`looking for ${forMs / 1000} s, longer where something is sick …\n`);
  const startedMs = program.clock.monotonicMs();
  const seen = await tools.examine(program, { settings, forMs });
  return { seen, lookedMs: Math.max(forMs, program.clock.monotonicMs() - startedMs) };
}

async function settingsAsked(call: Call, address: string | undefined): Promise<Settings> {
  if (address === undefined) return readSettings(call, call.given.texts["config"] ?? "");
  const settings = settingsFromFlags(address, call.given, await call.tools.detectors());
  for (const target of settings.targets) await refuseUnusableFiles(call.given, target);
  return settings;
}

async function lookAtFile({ program, tools }: Call, file: string): Promise<Look | undefined> {
  try {
    const [text, detectors, { judgeFile }] = await Promise.all([
      readSnapshot(file),
      tools.detectors(),
      import("../judge-file.ts"),
    ]);
    return { seen: judgeFile(text, detectors, () => program.clock.monotonicMs()) };
  } catch (thrown) {
    const isFileError = thrown instanceof Error && "code" in thrown;
    if (!(thrown instanceof SnapshotError) && !isFileError) throw thrown;
    program.stderr.write(`grpc-doctor: ${file}: ${thrown.message}\n`);
    return undefined;
  }
}

/** A stranger's file may be of any size, or have no end: no more is read than a snapshot can be. */
async function readSnapshot(file: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of createReadStream(file, { end: LONGEST_SNAPSHOT }))
    chunks.push(chunk as Uint8Array);
  const bytes = Buffer.concat(chunks);
  if (bytes.length > LONGEST_SNAPSHOT) throw new SnapshotError("longer than 16 MiB: no snapshot");
  return bytes.toString("utf8");
}

function lookTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1000 || ms > 3_600_000) {
    throw new UsageError(`--for takes a duration from 1s to 1h, not ${text}`);
  }
  return ms;
}
