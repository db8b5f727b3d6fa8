import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
/** What Node reads at its start and nowhere later. */
const AT_START = ["max-semi-space-size=1", "v8-pool-size=1", "use-openssl-ca"];

it("gives V8 the same flags by the image's command line and by main.ts", () => {
  const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(read("Dockerfile"))?.[1] ?? "[]";
  const ofImage = (JSON.parse(entrypoint) as string[])
    .filter((word) => word.startsWith("--"))
    .map((word) => word.slice(2));
  const ofMain = /MEMORY_FIRST = (\[[^\]]+\])/.exec(read("src/main.ts"))?.[1] ?? "";
  const flags = [...ofMain.matchAll(/"([^"]+)"/g)].map((match) => match[1]);
  expect(new Set([...flags, ...AT_START])).toEqual(new Set(ofImage));
});
