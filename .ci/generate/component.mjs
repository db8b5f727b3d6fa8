/** deploy/component, from what `inject` puts in. */
import { fromSource, imageName, yamlFrom } from "./from-source.mjs";

const ENTRY = "src/inject/component.ts";

export default {
  name: "component",
  folder: "deploy/component",
  async generate(root) {
    const { componentFiles } = await fromSource(root, ENTRY);
    const files = componentFiles(await imageName(root));
    return new Map(Object.entries(files).map(([file, value]) => [file, yamlFrom(ENTRY, [value])]));
  },
};
