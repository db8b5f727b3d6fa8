/** deploy/admission, from what `inject` puts in. */
import { fromSource, imageName, yamlFrom } from "./from-source.mjs";

const ENTRY = "src/inject/policy.ts";

export default {
  name: "admission",
  folder: "deploy/admission",
  async generate(root) {
    const { admissionFiles } = await fromSource(root, ENTRY);
    const files = admissionFiles(await imageName(root));
    return new Map(
      Object.entries(files).map(([file, documents]) => [file, yamlFrom(ENTRY, documents)]),
    );
  },
};
