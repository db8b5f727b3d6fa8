/**
 * Runs every generator: `npm run generate` writes what differs, `--check` fails on it instead.
 *
 * A generator is a file in .ci/generate/ whose default export has a name, the folder or files that it
 * owns, and `generate()`, which resolves to a Map of path (from the repository's root) to content. A
 * file in an owned folder that the Map lacks is drift too, and removed.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import admission from "./generate/admission.mjs";
import component from "./generate/component.mjs";
import config from "./generate/config.mjs";
import metrics from "./generate/metrics.mjs";
import monitoring from "./generate/monitoring.mjs";
import protobuf from "./generate/protobuf.mjs";

const GENERATORS = [admission, component, config, metrics, monitoring, protobuf];

const root = fileURLToPath(new URL("..", import.meta.url));
const isCheck = process.argv.includes("--check");

const drifted = [];
for (const generator of GENERATORS) drifted.push(...(await drift(generator)));

for (const { file, content } of drifted) {
  process.stderr.write(
    `${isCheck ? "differs" : content === undefined ? "removed" : "written"}: ${file}\n`,
  );
  if (!isCheck) await put(file, content);
}
if (isCheck && drifted.length > 0) {
  process.stderr.write("Run `npm run generate` and commit what it wrote.\n");
  process.exitCode = 1;
}

async function drift(generator) {
  const wanted = await generator.generate(root);
  const stale = (await owned(generator.folder)).filter((file) => !wanted.has(file));
  const changed = [];
  for (const [file, content] of wanted) {
    const present = await readFile(path.join(root, file), "utf8").catch(absent);
    if (present !== content) changed.push({ file, content });
  }
  return [...changed, ...stale.map((file) => ({ file, content: undefined }))];
}

/** Files below a folder that one generator owns as a whole; none for a generator of single files. */
async function owned(folder) {
  if (folder === undefined) return [];
  const options = { recursive: true, withFileTypes: true };
  const entries = (await readdir(path.join(root, folder), options).catch(absent)) ?? [];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)));
}

async function put(file, content) {
  const target = path.join(root, file);
  if (content === undefined) return rm(target);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, content);
}

function absent(thrown) {
  if (thrown.code === "ENOENT") return undefined;
  throw thrown;
}
