import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { commandsPage } from "../../src/cli/commands-page.ts";
import { withBlock } from "../../src/config/block.ts";
import { exampleCodes } from "../../src/config/example-codes.ts";
import { configJsonSchemaText } from "../../src/config/json-schema.ts";
import { configReference } from "../../src/config/reference.ts";
import { DETECTORS } from "../../src/detectors/index.ts";

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

/** `npm run generate` mends each of these. */
it.each([
  ["config.example.yaml", "codes", () => exampleCodes(DETECTORS)],
  ["docs/configuration.md", "options", () => configReference(DETECTORS)],
  ["docs/commands.md", "commands", commandsPage],
])("%s says what the program does", (file, name, content) => {
  expect(read(file)).toBe(withBlock(read(file), name, content()));
});

it("deploy/config.schema.json is made from the schema that checks the file", () => {
  expect(read("deploy/config.schema.json")).toBe(configJsonSchemaText(DETECTORS));
});

it("says which markers are missing", () => {
  expect(() => withBlock("# end: codes\n# begin: codes\n", "codes", "x")).toThrow(
    "the markers of codes are missing",
  );
});
