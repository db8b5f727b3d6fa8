import { existsSync } from "node:fs";
import { probeOnce } from "../../grpc/probe-once.ts";
import { nearest } from "../../model/nearest.ts";
import type { ProbeSpec } from "../../model/probe-spec.ts";
import type { Settings } from "../../model/settings.ts";
import type { Call } from "../command.ts";
import { POD_CONFIG } from "../config-flag.ts";
import { EXIT, UsageError } from "../exit.ts";
import { parseOutput } from "../fail-on.ts";
import { readSettings } from "../read-settings.ts";
import { paintFor } from "../report/paint.ts";
import { probeDocument, probeReport } from "../report/probe-report.ts";
import { withConfiguration } from "../tell-faults.ts";

/** Reflection and a fresh connection come before the call, and are not its deadline's. */
const BESIDE_MS = 10_000;

/** Runs one configured probe now, over a connection of its own, and shows every phase of it. */
export function run(call: Call): Promise<number> {
  const { program, given } = call;
  const output = parseOutput(given.texts["output"]);
  const file = given.texts["config"] ?? filePodsHave();
  return withConfiguration(call, async () => {
    const settings = await readSettings(call, file);
    const spec = probeNamed(settings, given.positionals[0] ?? "", file);
    const target = settings.targets.find(({ name }) => name === spec.target);
    if (target === undefined) throw new Error(`the target of ${spec.name} was not checked`);
    const { clock, random } = program;
    const signal = clock.deadline(spec.deadlineMs + BESIDE_MS, program.signal);
    const show = { spec, ...(await probeOnce(spec, target, { clock, random, signal })) };
    const paint = paintFor(program, "stdout");
    const text =
      output === "json"
        ? `${JSON.stringify(probeDocument(show), null, 2)}\n`
        : probeReport(show, paint);
    program.stdout.write(text);
    return show.result.outcome === "passed" ? EXIT.fine : EXIT.found;
  });
}

/** Beside the agent in a pod nobody has to know where its file is. */
function filePodsHave(): string {
  if (existsSync(POD_CONFIG)) return POD_CONFIG;
  throw new UsageError(`--config FILE is missing, and ${POD_CONFIG} is not there`);
}

function probeNamed({ probes }: Settings, name: string, file: string): ProbeSpec {
  const spec = probes.find((probe) => probe.name === name);
  if (spec !== undefined) return spec;
  const names = probes.map((probe) => probe.name);
  const meant = nearest(name, names);
  const hint =
    meant === undefined ? `; it has ${names.join(", ") || "none"}` : ` (did you mean ${meant}?)`;
  throw new UsageError(`${file} has no probe ${JSON.stringify(name)}${hint}`);
}
