import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Program } from "../../src/cli/program.ts";
import type { RunOptions } from "../../src/cli/tools.ts";
import type { FindingChange } from "../../src/model/finding.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { aFinding } from "../cli/a-report.ts";
import { runLine } from "../cli/run-line.ts";
import { twoFreePorts } from "../support/ports.ts";

const BUILT = {
  file: fileURLToPath(new URL("../../dist/lib/bin/main.js", import.meta.url)),
  protoDirectory: fileURLToPath(new URL("../../dist/proto", import.meta.url)),
};

interface Played {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the agent that stands in tells of when the demo says that something is broken, or healed. */
interface Play {
  readonly broken?: FindingChange["transition"];
  readonly healed?: FindingChange["transition"];
}

/** The demo's real world, with an agent that says its part at the cue, and no time to lose. */
async function play(code: string, { broken, healed }: Play) {
  let heard: RunOptions["heard"];
  let said = "";
  const tell = (transition: FindingChange["transition"] | undefined) => {
    const finding = aFinding({ code });
    if (transition !== undefined) heard?.({ transition, at: 0, finding });
  };
  // The alert is there before the fault is wholly made: the demo must not miss it.
  const stderr: Program["stderr"] = {
    write(text: string) {
      said += text;
      const cue = { broken, healed }[text.split(":", 1)[0] ?? ""];
      queueMicrotask(() => tell(cue));
    },
  };
  const clock: Program["clock"] = {
    ...systemClock,
    sleep: async () => undefined,
    deadline(ms, parent) {
      const cue = said.includes("healed:") ? healed : broken;
      return systemClock.deadline(cue === undefined ? 1 : ms, parent);
    },
  };
  const runAgent = async ({ signal }: Program, options: RunOptions) => {
    heard = options.heard;
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  };
  const detectors = async () => (await import("../../src/detectors/index.ts")).DETECTORS;
  const line = `demo --fault ${code}`;
  const { exit } = await runLine(line, { ...BUILT, clock, stderr }, { runAgent, detectors });
  return { exit, said: said.split("\n").slice(4) };
}

describe.concurrent("demo --fault", () => {
  const BROKEN = "broken: payments gets a certificate for another name (tls-san-mismatch)";
  const HEALED =
    "healed: tls-san-mismatch is resolved once it was absent for its clearAfter, a minute or more";

  it("breaks and heals, and exits 0 once the alert is resolved", async ({ expect }) => {
    expect(await play("tls-san-mismatch", { broken: "opened", healed: "resolved" })).toEqual({
      exit: 0,
      said: [BROKEN, HEALED, ""],
    });
  });

  it("exits 1 when no alert comes", async ({ expect }) => {
    expect(await play("tls-san-mismatch", {})).toEqual({
      exit: 1,
      said: [BROKEN, "tls-san-mismatch was not opened within 180 s", ""],
    });
  });

  it("exits 1 when the alert is not resolved", async ({ expect }) => {
    expect(await play("tls-san-mismatch", { broken: "opened" })).toEqual({
      exit: 1,
      said: [BROKEN, HEALED, "tls-san-mismatch was not resolved within 420 s", ""],
    });
  });
});

it("plays a fault from alert to resolved, with the built program", async () => {
  const [listen, admin] = await twoFreePorts();
  const places = ["--listen", `127.0.0.1:${listen}`, "--admin", `127.0.0.1:${admin}`];
  const line = [BUILT.file, "demo", "--fault", "tls-san-mismatch", ...places];
  const ended = await new Promise<Played>((resolve) => {
    const child = execFile(process.execPath, line, (_error, stdout, stderr) =>
      resolve({ exit: child.exitCode, stdout, stderr }),
    );
  });
  const alerts = ended.stdout.match(/(?:OPENED|ESCALATED|RESOLVED) \w+ \S+ on payments/g);
  expect({ exit: ended.exit, alerts }).toEqual({
    exit: 0,
    alerts: [
      "OPENED critical tls-san-mismatch on payments",
      "RESOLVED critical tls-san-mismatch on payments",
    ],
  });
  expect(ended.stdout).toContain(
    "The certificate does not cover payments.demo.svc; it is for billing.demo.svc\n",
  );
  expect(ended.stderr).toContain(
    "broken: payments gets a certificate for another name (tls-san-mismatch)\nhealed: ",
  );
});

it("says where the world is, before it breaks", async () => {
  const stopped = AbortSignal.abort("SIGTERM");
  const runAgent = async () => undefined;
  const detectors = async () => (await import("../../src/detectors/index.ts")).DETECTORS;
  const outcome = await runLine(
    "demo --listen 127.0.0.1:1 --admin 127.0.0.1:2",
    { ...BUILT, signal: stopped },
    { runAgent, detectors },
  );
  expect(outcome).toEqual({
    exit: 0,
    stdout: "",
    stderr: expect.stringMatching(
      /^watched: {2}orders \(.*\), payments \(.*\), inventory \(dns:.*\)\nmetrics: {2}http:\/\/127\.0\.0\.1:1\/metrics\nfindings: http:\/\/127\.0\.0\.1:2\/findings\n/,
    ),
  });
});

it.each([
  ["demo --fault tls-san", "--fault takes tls-san-mismatch, "],
  ["demo --listen x", "--listen takes :port"],
])("refuses %s", async (line, message) => {
  const { exit, stderr } = await runLine(line);
  expect(exit).toBe(2);
  expect(stderr.startsWith(`grpc-doctor demo: ${message}`)).toBe(true);
});
