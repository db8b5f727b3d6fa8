import { counted } from "../../model/counted.ts";
import type { Call } from "../command.ts";
import { configFile, configInput } from "../config-file.ts";
import { EXIT } from "../exit.ts";
import { readSettings } from "../read-settings.ts";
import { withConfiguration } from "../tell-faults.ts";
import { loadTlsFault } from "../tls-fault.ts";

/** Checks a file and tells every fault at once; says what a good one watches. */
export function run(call: Call): Promise<number> {
  const file = configFile(call);
  return withConfiguration(call, async () => {
    const { targets, probes } = await readSettings(call, file, {
      tlsFault: await loadTlsFault(),
      ...configInput(call, file),
    });
    const watched = `${counted(targets.length, "target")}, ${counted(probes.length, "probe")}`;
    call.program.stdout.write(`${file}: fine (${watched})\n`);
    return EXIT.fine;
  });
}
