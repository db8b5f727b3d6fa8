import { type Command, HELP_FLAG } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { flagSays, flagText, usageOf } from "./help.ts";

/** The generated part of docs/commands.md: the table of commands, written out. */
export function commandsPage(): string {
  return COMMANDS.filter(({ isHidden }) => isHidden !== true)
    .map(commandSection)
    .join("\n");
}

function commandSection(command: Command): string {
  const flags = [...command.flags, HELP_FLAG].map(
    (flag) => `| \`${flagText(flag).trim()}\` | ${flagSays(flag).replaceAll("|", "\\|")} |`,
  );
  const examples = command.examples.length === 0 ? [] : ["", "```sh", ...command.examples, "```"];
  return [
    `## ${command.name}`,
    "",
    `\`grpc-doctor ${usageOf(command)}\`: ${command.summary}.`,
    ...(command.details.length === 0 ? [] : ["", command.details.join("\n")]),
    "",
    "| Flag | Meaning |",
    "| --- | --- |",
    ...flags,
    ...examples,
    "",
  ].join("\n");
}
