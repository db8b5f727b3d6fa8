import { runCli } from "../../src/cli/cli.ts";
import type { Program } from "../../src/cli/program.ts";
import type { Tools } from "../../src/cli/tools.ts";
import { type Detector, defineDetector } from "../../src/detectors/detector.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { RECORDS } from "../config/records.ts";

export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Detectors that never judge: the commands read only their records. */
const DETECTORS: readonly Detector[] = RECORDS.map((record) =>
  defineDetector({
    ...record,
    needs: [],
    uses: [],
    lacks: "a longer look",
    detect: () => undefined,
  }),
);

const TOOLS: Tools = {
  detectors: async () => DETECTORS,
  expressions: async () => ({}),
  runAgent: unused,
  examine: unused,
};

/** A tool that a test did not give: whoever asks for it has gone astray. */
function unused(): never {
  throw new Error("a tool was used that the test did not give");
}

/** Runs one command line of a person, and gives back all that it wrote. */
export async function runLine(
  line: string | readonly string[],
  change: Partial<Program> = {},
  tools: Partial<Tools> = {},
): Promise<Outcome> {
  const written = { stdout: "", stderr: "" };
  const program: Program = {
    argv: typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line,
    environment: {},
    stdout: { write: (text: string) => void (written.stdout += text) },
    stderr: { write: (text: string) => void (written.stderr += text) },
    stdin: nothing(),
    isTerminal: { stdout: false, stderr: false },
    version: "1.2.3",
    file: "/nowhere/main.js",
    protoDirectory: "/nowhere/proto",
    node: "v20.19.0",
    cpuMs: () => 0,
    readProcess: () => ({ cpuSeconds: 1, residentBytes: 1, startedAt: 0 }),
    clock: systemClock,
    random: () => 0.5,
    signal: new AbortController().signal,
    onHangup: () => () => undefined,
    readPage: async (code) =>
      code === "dns-stale"
        ? "---\ncode: dns-stale\n---\n\n# dns-stale\n\n## What you see\n"
        : undefined,
    ...change,
  };
  const exit = await runCli(program, { ...TOOLS, ...tools });
  return { exit, ...written };
}

async function* nothing(): AsyncGenerator<string> {
  // Ends at once, as a closed standard input does.
}
