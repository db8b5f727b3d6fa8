import { ConfigError, faultText } from "../config/fault.ts";
import { counted } from "../model/counted.ts";
import type { Call } from "./command.ts";
import { EXIT } from "./exit.ts";

/** Runs a body that reads the configuration; a bad one is told, every fault on a line, and exits 3. */
export async function withConfiguration(call: Call, body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    const lines = thrown.faults.map(faultText);
    call.program.stderr.write(`${lines.join("\n")}\n${counted(lines.length, "fault")}\n`);
    return EXIT.configuration;
  }
}
