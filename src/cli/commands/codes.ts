import { findingPage } from "../../model/documentation.ts";
import type { Call } from "../command.ts";
import { EXIT } from "../exit.ts";
import { parseOutput } from "../fail-on.ts";
import { columns } from "../report/lines.ts";

/** A finding may be milder than the severity of its code; only the configuration makes it worse. */
const HEADING = ["layer    at worst  code", "title"] as const;

/** Lists every code, a line each, from the lowest layer upwards. */
export async function run({ program, tools, given }: Call): Promise<number> {
  const output = parseOutput(given.texts["output"]);
  const detectors = await tools.detectors();
  if (output === "json") {
    const list = detectors.map(({ code, title, layer, severity, onByDefault = true }) => ({
      code,
      layer,
      severity,
      onByDefault,
      title,
      docs: findingPage(code),
    }));
    program.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
    return EXIT.fine;
  }
  const rows = detectors.map(({ code, title, layer, severity, onByDefault = true }) => {
    return [
      `${layer.padEnd(7)}  ${severity.padEnd(8)}  ${code}`,
      `${title}${onByDefault ? "" : " (off by default)"}`,
    ] as const;
  });
  program.stdout.write(`${columns([HEADING, ...rows]).join("\n")}\n`);
  return EXIT.fine;
}
