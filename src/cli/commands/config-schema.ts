import { configJsonSchemaText } from "../../config/json-schema.ts";
import type { Call } from "../command.ts";
import { EXIT } from "../exit.ts";

/** Prints the JSON Schema that editors use; the same text is in deploy/config.schema.json. */
export async function run({ program, tools }: Call): Promise<number> {
  program.stdout.write(configJsonSchemaText(await tools.detectors()));
  return EXIT.fine;
}
