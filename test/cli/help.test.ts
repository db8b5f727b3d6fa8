import { expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { runLine } from "./run-line.ts";

it.each(["--help", "-h", "help"])("lists the commands for %s", async (line) => {
  const { exit, stdout, stderr } = await runLine(line);
  await expect(stdout).toMatchFileSnapshot("golden/help.txt");
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
});

const LISTED = COMMANDS.filter(({ isHidden }) => isHidden !== true);

it.each(LISTED.map(({ name }) => name))("explains %s", async (name) => {
  const { exit, stdout } = await runLine(`${name} --help`);
  await expect(stdout).toMatchFileSnapshot(`golden/${name.replace(" ", "-")}.txt`);
  expect(exit).toBe(0);
});

it("explains a command for help COMMAND", async () => {
  expect(await runLine("help config check")).toEqual(await runLine("config check --help"));
});

it.each(["config --help", "config -h", "help config"])(
  "lists a group's commands for %s",
  async (line) => {
    const { exit, stdout, stderr } = await runLine(line);
    const listed = [...stdout.matchAll(/^  ([a-z]+ [a-z]+) /gm)].map(([, name]) => name);
    expect({ exit, stderr, listed }).toEqual({
      exit: 0,
      stderr: "",
      listed: ["config check", "config print", "config schema", "config init"],
    });
  },
);

it("keeps every line of help within 100 columns", async () => {
  const texts = await Promise.all(COMMANDS.map(({ name }) => runLine(`${name} -h`)));
  const lines = texts.flatMap(({ stdout }) => stdout.split("\n"));
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
});

it("breaks help at the width of a narrow terminal", async () => {
  const narrow = { isTerminal: { stdout: true, stderr: true }, columns: 60 };
  const texts = await Promise.all(
    ["help", ...LISTED.map(({ name }) => `${name} -h`)].map((line) => runLine(line, narrow)),
  );
  const prose = texts.flatMap(({ stdout }) => stdout.split("\nExamples:", 1)[0]?.split("\n"));
  expect(prose.filter((line) => line !== undefined && line.length > 60)).toEqual([]);
});

it.each(["version", "--version", "-v"])("prints the version for %s", async (line) => {
  expect(await runLine(line)).toEqual({
    exit: 0,
    stdout: "grpc-doctor 1.2.3\n",
    stderr: "",
  });
});

it("writes help to stderr and exits 2 without a command", async () => {
  const { exit, stdout, stderr } = await runLine("");
  expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
  expect(stderr).toMatch(/^grpc-doctor 1.2.3: /);
});

it.each([
  ["chek", 'unknown command "chek" (did you mean check?)'],
  [
    "config",
    "grpc-doctor config needs one of: config check, config print, config schema, config init",
  ],
  ["config chek", 'unknown command "config chek" (did you mean config check?)'],
  ["confg", 'unknown command "confg" (did you mean config?)'],
  ["help chek", 'unknown command "chek" (did you mean check?)'],
  ["zzzzzz", 'unknown command "zzzzzz"'],
])("refuses %s", async (line, message) => {
  const stderr = `${message}\nSee grpc-doctor --help.\n`;
  expect(await runLine(line)).toEqual({ exit: 2, stdout: "", stderr });
});
