import { printSettings } from "../../config/print.ts";
import type { Call } from "../command.ts";
import { configFile, configInput } from "../config-file.ts";
import { EXIT } from "../exit.ts";
import { readSettings } from "../read-settings.ts";
import { withConfiguration } from "../tell-faults.ts";

/** Prints the configuration in effect: defaults filled in, variables put in, secrets masked. */
export function run(call: Call): Promise<number> {
  const file = configFile(call);
  return withConfiguration(call, async () => {
    const settings = await readSettings(call, file, configInput(call, file));
    const detectors = await call.tools.detectors();
    const withDefaults = call.given.switches.has("defaults");
    call.program.stdout.write(printSettings(settings, { detectors, withDefaults }));
    return EXIT.fine;
  });
}
