import { nearest } from "../../config/nearest.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { parseOutput } from "../fail-on.ts";
import { readSettings } from "../read-settings.ts";
import { paintFor } from "../report/paint.ts";
import { probeReport } from "../report/probe-report.ts";
import { withConfiguration } from "../tell-faults.ts";

/** Runs one configured probe now, over a connection of its own, and shows every phase of it. */
export function run(call: Call): Promise<number> {
  const { program, given, tools } = call;
  const output = parseOutput(given.texts["output"]);
  const file = given.texts["config"];
  if (file === undefined) throw new UsageError("--config FILE is missing");
  return withConfiguration(call, async () => {
    const settings = await readSettings(call, file);
    const name = given.positionals[0] ?? "";
    const spec = settings.probes.find((probe) => probe.name === name);
    if (spec === undefined) {
      const names = settings.probes.map((probe) => probe.name);
      const meant = nearest(name, names);
      const hint =
        meant === undefined
          ? `; it has ${names.join(", ") || "none"}`
          : ` (did you mean ${meant}?)`;
      throw new UsageError(`${file} has no probe ${JSON.stringify(name)}${hint}`);
    }
    const observation = await tools.runProbe(program, { settings, spec });
    const paint = paintFor(program.isTerminal.stdout, program.environment);
    const text =
      output === "json"
        ? `${JSON.stringify(observation, null, 2)}\n`
        : probeReport(observation, paint);
    program.stdout.write(text);
    return observation.outcome === "failed" ? EXIT.found : EXIT.fine;
  });
}
