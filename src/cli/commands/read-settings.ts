import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { takeReading } from "../settings-reader.ts";

/** Reads a configuration file for the daemon that started this process, and tells nobody else. */
export async function run(call: Call): Promise<number> {
  const { tellParent } = call.program;
  if (tellParent === undefined) throw new UsageError("only the daemon runs this");
  const [file = ""] = call.given.positionals;
  await tellParent(await takeReading(call, file));
  return EXIT.fine;
}
