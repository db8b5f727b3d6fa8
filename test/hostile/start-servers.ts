import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { GalleryName } from "./cases/index.ts";
import type { Watched } from "./hostile-case.ts";

/** Servers of one gallery, in a process of their own. */
export interface HostileServers {
  readonly watched: Readonly<Record<string, Watched>>;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export async function startHostileServers(
  gallery: GalleryName,
  names: readonly string[],
): Promise<HostileServers> {
  // Two folders below the root, as the sources lie: paths that they make of their own hold.
  const bundle = `${ROOT}.cache/hostile/servers-${process.pid}.mjs`;
  await build({
    entryPoints: [fileURLToPath(new URL("servers-process.ts", import.meta.url))],
    outfile: bundle,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    logLevel: "warning",
  });
  const child = spawn(process.execPath, [bundle, gallery, ...names], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, "line"),
    ended.then(([code]) => {
      throw new Error(`the servers of ${gallery} ended with ${code}`);
    }),
  ]);
  return {
    watched: JSON.parse(String(line[0])) as Readonly<Record<string, Watched>>,
    async stop() {
      child.kill("SIGKILL");
      await ended;
      rmSync(bundle);
    },
  };
}
