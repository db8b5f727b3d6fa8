import { crashText } from "../model/crash-text.ts";
import { nearest } from "../model/nearest.ts";
import { type Command, HELP_FLAG } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT, UsageError } from "./exit.ts";
import { commandHelp, type HelpStyle, programHelp } from "./help.ts";
import { parseArguments } from "./parse-arguments.ts";
import type { Output, Program } from "./program.ts";
import { lineWidth, wantsColour } from "./report/paint.ts";
import { steerless } from "./steerless.ts";
import type { Tools } from "./tools.ts";

/**
 * Runs one command line and resolves to its exit code. It touches no process: all that it may use is
 * given. A throw that nobody below understood is a bug of ours, told with its stack.
 */
export async function runCli(given: Program, tools: Tools): Promise<number> {
  const command = findCommand(given.argv);
  const program: Program = {
    ...given,
    stdout: dataOutput(given, command),
    stderr: steerless(given.stderr, wantsColour(given, "stderr")),
  };
  const [first] = program.argv;
  if (first === undefined) {
    program.stderr.write(programHelp(COMMANDS, styleOf(program)));
    return EXIT.usage;
  }
  if (first === "help" || HELP.includes(first)) return help(program, program.argv.slice(1));
  if (["version", "--version", "-version", "-v"].includes(first)) {
    program.stdout.write(`grpc-doctor ${program.version}\n`);
    return EXIT.fine;
  }
  if (command !== undefined) return runCommand(command, program, tools);
  if (HELP.includes(program.argv[1] ?? "")) return help(program, [first]);
  return refuse(program, program.argv);
}

function dataOutput(given: Program, command: Command | undefined): Output {
  const isExact = command?.handsOn === true && !given.isTerminal.stdout;
  return isExact ? given.stdout : steerless(given.stdout, wantsColour(given, "stdout"));
}

const HELP: readonly string[] = ["-h", "--help", "-help"];

/** Of everything, of the command that is named, or of those that begin with the one word named. */
function help(program: Program, about: readonly string[]): number {
  const command = findCommand(about);
  const [group, ...more] = about;
  const listed = COMMANDS.filter(({ name }) => group === undefined || name.startsWith(`${group} `));
  if (command === undefined && (listed.length === 0 || more.length > 0))
    return refuse(program, about);
  program.stdout.write(
    command === undefined
      ? programHelp(listed, styleOf(program))
      : commandHelp(command, styleOf(program)),
  );
  return EXIT.fine;
}

function refuse(program: Program, words: readonly string[]): number {
  program.stderr.write(`${unknownCommand(words)}\nSee grpc-doctor --help.\n`);
  return EXIT.usage;
}

function styleOf(program: Program): HelpStyle {
  return { version: program.version, width: lineWidth(program) };
}

async function runCommand(command: Command, program: Program, tools: Tools): Promise<number> {
  const rest = program.argv.slice(command.name.split(" ").length);
  // Help is given whatever else is missing on the line.
  if (rest.some((argument) => HELP.includes(argument))) {
    program.stdout.write(commandHelp(command, styleOf(program)));
    return EXIT.fine;
  }
  try {
    const given = parseArguments(rest, { ...command, flags: [...command.flags, HELP_FLAG] });
    const { run } = await command.load();
    return await run({ program, tools, given });
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      const help = `grpc-doctor ${command.name} --help`;
      program.stderr.write(`grpc-doctor ${command.name}: ${thrown.message}\nSee ${help}.\n`);
      return command.usageExit ?? EXIT.usage;
    }
    const { errorText, stack = "" } = crashText(thrown);
    const text = `${errorText}\n${stack}`.trimEnd();
    program.stderr.write(`grpc-doctor: a bug of ours; please report it with this:\n${text}\n`);
    return EXIT.bug;
  }
}

function findCommand([first, second]: readonly string[]): Command | undefined {
  const named = (name: string) => COMMANDS.find((command) => command.name === name);
  return named(`${first} ${second}`) ?? named(first ?? "");
}

function unknownCommand([first = "", second]: readonly string[]): string {
  const listed = COMMANDS.filter(({ isHidden }) => isHidden !== true);
  const names = listed.map(({ name }) => name);
  const below = names.filter((name) => name.startsWith(`${first} `));
  if (below.length > 0 && second === undefined) {
    return `grpc-doctor ${first} needs one of: ${below.join(", ")}`;
  }
  const written = below.length > 0 ? `${first} ${second}` : first;
  const groups = names.flatMap((name) => (name.includes(" ") ? [name.split(" ")[0] ?? ""] : []));
  const meant = nearest(written, [...names, ...groups]);
  const hint = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  return `unknown command ${JSON.stringify(written)}${hint}`;
}
