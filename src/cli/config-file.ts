import type { Call } from "./command.ts";
import { UsageError } from "./exit.ts";
import type { ReadOptions } from "./read-settings.ts";

/** The file of a `config` command: as argument, or by `--config`. */
export function configFile({ given }: Call): string {
  const named = [given.positionals[0], given.texts["config"]].filter((file) => file !== undefined);
  const [file] = named;
  if (file === undefined) throw new UsageError("FILE is missing");
  if (named.length > 1) throw new UsageError("one FILE, not two");
  return file;
}

/** Standard input where the file of a `config` command is `-`. */
export function configInput({ program }: Call, file: string): Pick<ReadOptions, "input"> {
  return file === "-" ? { input: program.stdin } : {};
}
