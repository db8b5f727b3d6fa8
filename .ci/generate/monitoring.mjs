/** deploy/monitoring and deploy/monitoring-plain, from the typed rules in src/monitoring. */
import path from "node:path";
import { build } from "esbuild";
import { stringify } from "yaml";

const ENTRY = "src/monitoring/documents.ts";

export default {
  name: "monitoring",
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
    const { MONITORING } = await import(
      `data:text/javascript;base64,${Buffer.from(module.contents).toString("base64")}`
    );
    return new Map(Object.entries(MONITORING).map(([file, document]) => [file, yaml(document)]));
  },
};

function yaml({ comment, value }) {
  const head = [...comment, "Generated from src/monitoring (npm run generate)."];
  const options = { lineWidth: 0, aliasDuplicateObjects: false };
  return `${head.map((line) => `# ${line}\n`).join("")}${stringify(value, options)}`;
}
