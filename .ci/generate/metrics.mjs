/** docs/metrics.md, from the list of metric families. */
import path from "node:path";
import { build } from "esbuild";

const ENTRY = "src/sinks/prometheus/document.ts";

export default {
  name: "metrics",

  async generate(root) {
    const { outputFiles } = await build({
      entryPoints: [path.join(root, ENTRY)],
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      write: false,
    });
    const [module] = outputFiles;
    // oxlint-disable-next-line house/no-package-import -- a file of ours, bundled a moment ago
    const { metricsDocument } = await import(
      `data:text/javascript;base64,${Buffer.from(module.contents).toString("base64")}`
    );
    return new Map([["docs/metrics.md", metricsDocument()]]);
  },
};
