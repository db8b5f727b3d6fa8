/** deploy/monitoring, deploy/monitoring-plain and the dashboard, from the typed rules in src/monitoring. */
import { build } from "esbuild";
import { stringify } from "yaml";

const ENTRY = `
export { MONITORING } from "./src/monitoring/documents.ts";
export { DASHBOARD } from "./src/monitoring/dashboard.ts";
`;

export default {
  name: "monitoring",
  async generate(root) {
    const { outputFiles } = await build({
      stdin: { contents: ENTRY, resolveDir: root, loader: "ts" },
      bundle: true,
      platform: "node",
      format: "esm",
      write: false,
    });
    const [module] = outputFiles;
    // oxlint-disable-next-line house/no-package-import -- a file of ours, bundled a moment ago
    const { MONITORING, DASHBOARD } = await import(
      `data:text/javascript;base64,${Buffer.from(module.contents).toString("base64")}`
    );
    return new Map([
      ...Object.entries(MONITORING).map(([file, document]) => [file, yaml(document)]),
      ["deploy/dashboard.json", `${JSON.stringify(DASHBOARD, null, 2)}\n`],
    ]);
  },
};

function yaml({ comment, value }) {
  const head = [...comment, "Generated from src/monitoring (npm run generate)."];
  const options = { lineWidth: 0, aliasDuplicateObjects: false };
  return `${head.map((line) => `# ${line}\n`).join("")}${stringify(value, options)}`;
}
