import { probeOnce } from "../../grpc/probe-once.ts";
import type { ProbeResult } from "../../grpc/probe-run.ts";
import type { Json } from "../../model/json.ts";
import type { ProbeSpec } from "../../model/probe-spec.ts";
import type { Settings } from "../../model/settings.ts";
import type { StatusName } from "../../model/status.ts";
import type { Target } from "../../model/target.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { refuseUnusableFiles } from "../files-on-the-line.ts";
import { parseMessages } from "../message-sequence.ts";
import { findingsText } from "../report/findings-text.ts";
import { columns, indent, numberText } from "../report/lines.ts";
import { paintFor } from "../report/paint.ts";
import { whyText } from "../report/probe-report.ts";
import { maxTimeMs, settingsFromFlags } from "../target-from-flags.ts";

/** How long the diagnosis may look, once a call has failed. */
const DIAGNOSIS_MS = 3000;
/** The call has its own deadline; what is around it may take this much longer. */
const AROUND_MS = 500;
const GREATEST_INPUT = 4 * 1024 * 1024;

/** Makes one call, of any of the four kinds; where it fails, the diagnosis in place of a code. */
export async function run(call: Call): Promise<number> {
  const { program, given } = call;
  const [address = "", written = ""] = given.positionals;
  const detectors = await call.tools.detectors();
  const settings = settingsFromFlags(address, given, detectors);
  const [target] = settings.targets;
  if (target === undefined) throw new UsageError("ADDR is missing");
  await refuseUnusableFiles(given, target);
  const deadlineMs = maxTimeMs(given);
  const spec = specOf(methodName(written), target, {
    requests: await requestsOf(call),
    deadlineMs,
  });
  const { clock, random } = program;
  const signal = clock.deadline(deadlineMs + AROUND_MS, program.signal);
  const protoset = given.texts["protoset"];
  const asked = protoset === undefined ? target : { ...target, protoset };
  const heard = (message: Json) => {
    program.stdout.write(`${JSON.stringify(message, null, 2)}\n`);
  };
  const { result } = await probeOnce(spec, asked, { clock, random, signal, heard });
  if (given.switches.has("v")) program.stderr.write(exchangeText(result));
  if (result.outcome === "passed") return EXIT.fine;
  program.stderr.write(`${spec.method} failed${failureText(result, call)}\n`);
  if (result.missing !== undefined) program.stderr.write(`→ ${result.missing.fix}\n`);
  else if (isWorthALook(result)) await diagnose(call, settings);
  return EXIT.found;
}

/** Ours is the end of a call that -max-time has cut off; the user's, where a signal came. */
function failureText(result: ProbeResult, { program, given }: Call): string {
  if (result.reason !== "agent" || program.signal.aborted) return whyText(result);
  return `: not within ${maxTimeMs(given) / 1000} s (-max-time)`;
}

/** Headers and trailers, as the server sent them, and how long it took. */
function exchangeText({ reply }: ProbeResult): string {
  if (reply === undefined) return "";
  const { headers, trailers, durationMs } = reply;
  const took = [["took", `${numberText(durationMs)} ms`] as const];
  const sections = [["headers", headers] as const, ["trailers", trailers] as const];
  const lines = sections.flatMap(([name, metadata]) =>
    metadata.length === 0 ? [] : [name, ...indent(columns(metadata), "  ")],
  );
  return `${[...lines, ...columns(took)].join("\n")}\n`;
}

/** What an app says of a request that reached it: no connection is to blame. */
const OF_THE_APP: ReadonlySet<StatusName> = new Set([
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "DATA_LOSS",
]);

function isWorthALook({ phase, reason, status }: ProbeResult): boolean {
  const isOfTheApp = phase === "rpc" && status !== undefined && OF_THE_APP.has(status);
  return reason !== "descriptor" && !isOfTheApp;
}

/** What the agent would find there. */
async function diagnose({ program, tools }: Call, settings: Settings): Promise<void> {
  if (program.isTerminal.stderr) program.stderr.write("looking for the cause …\n");
  const { report } = await tools.examine(program, { settings, forMs: DIAGNOSIS_MS });
  const lines = findingsText(report.active, paintFor(program, "stderr"));
  const { address } = settings.targets[0] ?? { address: "" };
  const nothing = [`No cause was found; a longer look: grpc-doctor check ${address} --for 30s`];
  program.stderr.write(`\n${(lines.length === 0 ? nothing : lines).join("\n")}\n`);
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
    throw new UsageError(`-d takes JSON${placeIn(thrown)}`);
  }
}

/** Where the parser stumbled, and nothing else of its message, which quotes the payload. */
function placeIn({ message }: SyntaxError): string {
  const [place] = /at position \d+(?: \(line \d+ column \d+\))?/.exec(message) ?? [];
  return place === undefined ? "" : `; it is none ${place}`;
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
