import { probeOnce } from "../../grpc/probe-once.ts";
import type { Json } from "../../model/json.ts";
import type { ProbeSpec } from "../../model/probe-spec.ts";
import type { Target } from "../../model/target.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { parseMessages } from "../message-sequence.ts";
import { findingsText } from "../report/findings-text.ts";
import { paintFor } from "../report/paint.ts";
import { whyText } from "../report/probe-report.ts";
import { maxTimeMs, settingsFromFlags } from "../target-from-flags.ts";

/** How long the diagnosis may look, once a call has failed. */
const DIAGNOSIS_MS = 3000;
const GREATEST_INPUT = 4 * 1024 * 1024;

/** Makes one call, of any of the four kinds; where it fails, the diagnosis in place of a code. */
export async function run(call: Call): Promise<number> {
  const { program, given } = call;
  const [address = "", written = ""] = given.positionals;
  const detectors = await call.tools.detectors();
  const settings = settingsFromFlags(address, given, detectors);
  const [target] = settings.targets;
  if (target === undefined) throw new UsageError("ADDR is missing");
  const deadlineMs = maxTimeMs(given);
  const spec = specOf(methodName(written), target, {
    requests: await requestsOf(call),
    deadlineMs,
  });
  const { clock, random } = program;
  const signal = clock.deadline(deadlineMs, program.signal);
  const protoset = given.texts["protoset"];
  const asked = protoset === undefined ? target : { ...target, protoset };
  const { result } = await probeOnce(spec, asked, { clock, random, signal });
  for (const message of result.responses()) {
    program.stdout.write(`${JSON.stringify(message, null, 2)}\n`);
  }
  if (result.outcome === "passed") return EXIT.fine;
  program.stderr.write(`${spec.method} failed${whyText(result)}\n`);
  if (result.missing !== undefined) program.stderr.write(`→ ${result.missing.fix}\n`);
  else await diagnose(call, settings);
  return EXIT.found;
}

/** What the agent would find there, if it finds anything. */
async function diagnose(
  { program, tools }: Call,
  settings: ReturnType<typeof settingsFromFlags>,
): Promise<void> {
  const { report } = await tools.examine(program, { settings, forMs: DIAGNOSIS_MS });
  const paint = paintFor(program, "stderr");
  const lines = findingsText(report.active, paint);
  if (lines.length > 0) program.stderr.write(`\n${lines.join("\n")}\n`);
}

function specOf(
  method: string,
  target: Target,
  { requests, deadlineMs }: Pick<ProbeSpec, "requests" | "deadlineMs">,
): ProbeSpec {
  return {
    name: "call",
    target: target.name,
    method,
    requests,
    schedule: { everyMs: deadlineMs },
    deadlineMs,
    connection: "fresh",
    compression: "identity",
    metadata: [],
    expect: { status: "OK", that: [] },
  };
}

/** `order.OrderService/GetOrder`; the dot before the method is taken too, as grpcurl does. */
function methodName(written: string): string {
  const name = written.replace(/^\//, "");
  const method = name.includes("/") ? name : name.replace(/\.(\w+)$/, "/$1");
  if (!/^[\w.]+\/\w+$/.test(method))
    throw new UsageError(`METHOD is package.Service/Method, not ${written}`);
  return method;
}

async function requestsOf(call: Call): Promise<readonly Json[]> {
  const data = call.given.texts["d"] ?? "{}";
  try {
    return parseMessages(data === "@" ? await readInput(call) : data);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new UsageError(`-d takes JSON: ${thrown.message}`);
  }
}

async function readInput({ program }: Call): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of program.stdin) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > GREATEST_INPUT) throw new UsageError(`-d takes at most ${GREATEST_INPUT} bytes`);
  }
  return Buffer.concat(chunks).toString("utf8");
}
