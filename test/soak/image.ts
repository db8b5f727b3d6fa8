import { readFileSync } from "node:fs";

/** Memory depends on the flags of V8 and on malloc's variables: those of the image. */
export function asInTheImage() {
  const dockerfile = readFileSync(new URL("../../Dockerfile", import.meta.url), "utf8");
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? "[]";
  return {
    node: (JSON.parse(entry) as string[]).filter((word) => word.startsWith("--")),
    environment: Object.fromEntries(
      [...dockerfile.matchAll(/\b(MALLOC_\w+)=(\d+)/g)].map(([, name, value]) => [name, value]),
    ),
  };
}
