import { wrap } from "../model/wrap.ts";
import { type Command, HELP_FLAG } from "./command.ts";
import type { Flag } from "./flag.ts";

const WIDTH = 100;

/** The list of all commands: `grpc-doctor --help`. */
export function programHelp(commands: readonly Command[], version: string): string {
  const listed = commands.filter(({ isHidden }) => isHidden !== true);
  const rows = listed.map((command) => [usageOf(command), command.summary] as const);
  return [
    `grpc-doctor ${version}: names the one cause, with evidence and a remedy.`,
    "",
    "Usage: grpc-doctor COMMAND [flags]",
    "",
    "Commands:",
    ...table(rows),
    "",
    "Flags:",
    ...table([
      ["-h, --help", "prints this; after a command, its flags"],
      ["    --version", "prints the version"],
    ]),
    "",
    "Exit codes: 0 fine, 1 findings or a failed probe, 2 usage, 3 invalid configuration, 70 a bug of ours.",
    "",
  ].join("\n");
}

/** `grpc-doctor COMMAND --help`. */
export function commandHelp(command: Command): string {
  const flags = [...command.flags, HELP_FLAG].map(
    (flag) => [flagText(flag), flagSays(flag)] as const,
  );
  const examples =
    command.examples.length === 0
      ? []
      : ["", "Examples:", ...command.examples.map((line) => `  ${line}`)];
  return [
    `grpc-doctor ${command.name}: ${command.summary}.`,
    "",
    `Usage: grpc-doctor ${usageOf(command)}${command.flags.length > 0 ? " [flags]" : ""}`,
    ...(command.details.length === 0
      ? []
      : ["", ...command.details.flatMap((line) => wrap(line, WIDTH))]),
    "",
    "Flags:",
    ...table(flags),
    ...examples,
    "",
  ].join("\n");
}

export function usageOf({ name, positionals }: Command): string {
  return [name, ...positionals].join(" ");
}

export function flagText(flag: Flag): string {
  const letter = flag.letter === undefined ? "    " : `-${flag.letter}, `;
  return `${letter}--${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
}

export function flagSays(flag: Flag): string {
  const repeated = flag.isRepeated === true ? "; may be repeated" : "";
  return `${flag.says}${repeated}${flag.default === undefined ? "" : ` (default ${flag.default})`}`;
}

function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const left = Math.min(36, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, says]) => {
    const [first = "", ...rest] = wrap(says, WIDTH - left - 4);
    const lead =
      name.length > left
        ? [`  ${name}`, `  ${" ".repeat(left)}  ${first}`]
        : [`  ${name.padEnd(left)}  ${first}`];
    return [...lead, ...rest.map((line) => `  ${" ".repeat(left)}  ${line}`)];
  });
}
