/**
 * What documents say of options, codes and commands, from the tables that the program itself uses:
 * the JSON Schema, the codes of the example, the reference, and the page of the commands.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

const ENTRY = `
export { DETECTORS } from "./src/detectors/index.ts";
export { withBlock } from "./src/config/block.ts";
export { exampleCodes } from "./src/config/example-codes.ts";
export { configJsonSchemaText } from "./src/config/json-schema.ts";
export { configReference } from "./src/config/reference.ts";
export { commandsPage } from "./src/cli/commands-page.ts";
`;

export default {
  name: "config",
  async generate(root) {
    const made = await load(root);
    const read = (file) => readFile(path.join(root, file), "utf8");
    const filled = async (file, name, content) => [
      file,
      made.withBlock(await read(file), name, content),
    ];
    return new Map([
      ["deploy/config.schema.json", made.configJsonSchemaText(made.DETECTORS)],
      await filled("config.example.yaml", "codes", made.exampleCodes(made.DETECTORS)),
      await filled("docs/configuration.md", "options", made.configReference(made.DETECTORS)),
      await filled("docs/commands.md", "commands", made.commandsPage()),
    ]);
  },
};

async function load(root) {
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: root, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    // The table of commands names their files, which nobody asks for here.
    external: ["./commands/*"],
    write: false,
  });
  const [module] = outputFiles;
  // oxlint-disable-next-line house/no-package-import -- files of ours, bundled a moment ago
  return import(`data:text/javascript;base64,${Buffer.from(module.contents).toString("base64")}`);
}
