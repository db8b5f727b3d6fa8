import { readFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { stringify } from "yaml";

/** What a module of src/ exports; it must not need anything that only the program has. */
export async function fromSource(root, entry) {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, entry)],
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
  });
  const [module] = outputFiles;
  // oxlint-disable-next-line house/no-package-import -- a file of ours, bundled a moment ago
  return import(`data:text/javascript;base64,${Buffer.from(module.contents).toString("base64")}`);
}

/** The image of this version. */
export async function imageName(root) {
  const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  return `ghcr.io/grpc-doctor/grpc-doctor:${version}`;
}

/** Documents of one file, which says what it is generated from. */
export function yamlFrom(entry, documents) {
  const head = `# Generated from ${entry} (npm run generate); docs/kubernetes.md says how to use it.\n`;
  const options = { lineWidth: 0, aliasDuplicateObjects: false };
  return head + documents.map((document) => stringify(document, options)).join("---\n");
}
