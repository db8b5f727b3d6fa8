import type { Tools } from "./tools.ts";

/** The tools that need no agent. */
export const LAZY_TOOLS: Pick<Tools, "detectors" | "expressions"> = {
  async detectors() {
    const { DETECTORS } = await import("../detectors/index.ts");
    return DETECTORS;
  },
  async expressions(text) {
    const isNeeded = /\b(?:that|protoset)\b/.test(text);
    return isNeeded ? (await import("./expressions.ts")).EXPRESSIONS : {};
  },
};
