/** deploy/component, from what `inject` puts in. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { stringify } from "yaml";

const ENTRY = "src/inject/component.ts";
const HEAD =
  "# Generated from src/inject/component.ts (npm run generate); docs/kubernetes.md says how to use it.\n";

export default {
  name: "component",
  folder: "deploy/component",
  async generate(root) {
    const { outputFiles } = await build({
      entryPoints: [path.join(root, ENTRY)],
      bundle: true,
      platform: "node",
      format: "esm",
      write: false,
    });
    const [module] = outputFiles;
    // oxlint-disable-next-line house/no-package-import -- a file of ours, bundled a moment ago
    const { componentFiles } = await import(
      `data:text/javascript;base64,${Buffer.from(module.contents).toString("base64")}`
    );
    const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
    const files = componentFiles(`ghcr.io/grpc-doctor/grpc-doctor:${version}`);
    const options = { lineWidth: 0, aliasDuplicateObjects: false };
    return new Map(
      Object.entries(files).map(([file, value]) => [file, HEAD + stringify(value, options)]),
    );
  },
};
