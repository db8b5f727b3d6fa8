import { readdirSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const filesIn = (folder: string) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`);

const FINDINGS = filesIn("src/findings");
/** What every detector is made with, and what several ask. */
const SHARED = ["detector", "explained-probe"].map((name) => `src/detectors/${name}.ts`);

/** The files whose conditions are broken. */
export const MUTATED: readonly string[] = [...filesIn("src/detectors"), ...FINDINGS];

/** Those of them that a test file is about. */
export function concernedBy(testFile: string): readonly string[] {
  if (testFile.startsWith("test/findings/")) return FINDINGS;
  return [testFile.replace(/^test(.*)\.test\.ts$/, "src$1.ts"), ...SHARED];
}
