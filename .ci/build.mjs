import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeBom } from "./bom.mjs";
import { deepImports } from "./bundle/deep-imports.mjs";
import { buildProtoLoader, lateFiles } from "./bundle/late-files.mjs";

/**
 * Bundles `src/main.ts` into `dist/`, which then runs without node_modules.
 *
 * Chunks lie flat in `dist/lib/bin/`, because grpc-js, grpc-health-check and @grpc/reflection read
 * their .proto files from `../../proto` beside themselves; these are merged into `dist/proto/`.
 * Identifiers are kept, so that a stack in a bug report can be read.
 *
 * It is made beside `dist/` and takes its place whole: an agent that runs from there loads chunks late,
 * and those of the same source have the same names.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const place = join(root, "dist");
const dist = join(root, `.dist-${process.pid}`);

/**
 * Node's own modules through `require`, and for our own code no more of each than it imports. An ES import reads
 * each export of a built-in, and a copy of it with getters reads some: `WebSocket` of node:http loads Node's undici
 * (11 MiB on Node 24), node:util worker threads and a parser of arguments. Of the ES modules of packages some are
 * also asked for by `require`, and of what such a module imports the bundler leaves out nothing.
 */
const requiredBuiltins = {
  name: "required-builtins",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^[a-z0-9:/_]+$/ }, ({ path, kind, importer }) => {
      if (kind !== "import-statement" || !isBuiltin(path)) return undefined;
      const isOurs = !importer.includes("/node_modules/");
      return { path, namespace: isOurs ? "builtin-names" : "builtin" };
    });
    onLoad({ filter: /./, namespace: "builtin-names" }, ({ path }) => ({
      contents: namesOf(path),
    }));
    onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

/** An ES module of a built-in: each name by a call that is said to be pure, and so left out where it is not imported. */
function namesOf(path) {
  const all = Object.keys(process.getBuiltinModule(path)).filter((name) => name !== "default");
  return `
    const $ = require(${JSON.stringify(path)});
    const $of = (name) => $[name];
    ${all.map((name) => `const $${name} = /* @__PURE__ */ $of("${name}");`).join("\n")}
    export { $ as default, ${all.map((name) => `$${name} as ${name}`).join(", ")} };
  `;
}

/**
 * What the packages load and the agent never calls: threads for log lines, metrics of a cluster, of the
 * process (ours are our own) and for a push gateway. They load node:cluster, node:worker_threads, node:https
 * and more. A class stands for each, since some are asked for with `instanceof`.
 */
const UNUSED = {
  pino: /^(\.\/(lib\/)?(transport|multistream)|sonic-boom|worker_threads)$/,
  "prom-client": /^\.\/lib\/(cluster|defaultMetrics|metricAggregators|pushgateway|summary)$/,
};
const unusedParts = {
  name: "unused-parts",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /./ }, ({ path, importer, kind }) => {
      const [, owner] = /.*\/node_modules\/([^/]+)\//.exec(importer) ?? [];
      const isUnused = kind === "require-call" && UNUSED[owner]?.test(path);
      return isUnused ? { path, namespace: "unused" } : undefined;
    });
    onLoad({ filter: /./, namespace: "unused" }, ({ path }) => {
      const thrown = `throw new Error(${JSON.stringify(`${path} is not in the bundle`)})`;
      return { contents: `module.exports = class { constructor() { ${thrown}; } };` };
    });
  },
};

/**
 * undici's assertions, which a server can make fail, and which it survives. node:assert words a failed one
 * by reading the file and parsing it up to there: of a bundle without JIT, half a minute of the event loop.
 */
const plainAssertions = {
  name: "plain-assertions",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:assert$/ }, ({ kind }) =>
      kind === "require-call" ? { path: "assert", namespace: "plain" } : undefined,
    );
    onLoad({ filter: /./, namespace: "plain" }, () => ({
      contents: `module.exports = (holds, why = "an assertion failed") => {
        if (!holds) throw new Error(why);
      };`,
    }));
  },
};

process.once("exit", () => rmSync(dist, { recursive: true, force: true }));
const folder = join(dist, "lib/bin");
const output = {
  absWorkingDir: root,
  target: "es2023",
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
};
const { metafile } = await build({
  ...output,
  entryPoints: [join(root, "src/main.ts")],
  outdir: folder,
  bundle: true,
  metafile: true,
  splitting: true,
  format: "esm",
  platform: "node",
  mainFields: ["module", "main"],
  chunkNames: "[name]-[hash]",
  plugins: [deepImports, lateFiles(folder), unusedParts, plainAssertions, requiredBuiltins],
  define: { __VERSION__: JSON.stringify(version) },
  // No global by name: a module of the chunk may have a declaration of that name.
  banner: {
    js: [
      'import { createRequire as bundleRequire } from "node:module";',
      'import { dirname as bundleFolder } from "node:path";',
      'import { fileURLToPath as bundlePath } from "node:url";',
      "const require = bundleRequire(import.meta.url);",
      "const __filename = bundlePath(import.meta.url);",
      "const __dirname = bundleFolder(__filename);",
    ].join("\n"),
  },
});

const late = await buildProtoLoader(folder, output);

// V8 keeps a source with one wider character at two bytes for each.
const chunks = readdirSync(folder).filter((name) => /\.c?js$/.test(name));
for (const name of chunks) {
  const wide = /[^\0-\x7F]/.exec(readFileSync(join(folder, name), "utf8"));
  if (wide !== null) throw new Error(`${name} holds ${wide[0]}: write it as an escape`);
}

const modules = join(root, "node_modules");
for (const protos of [
  "@grpc/grpc-js/proto",
  "grpc-health-check/proto",
  "@grpc/reflection/build/proto",
]) {
  cpSync(join(modules, protos), join(dist, "proto"), { recursive: true });
}
cpSync(join(root, "src/proto/order"), join(dist, "proto/order"), { recursive: true });
mkdirSync(join(dist, "docs"), { recursive: true });
cpSync(join(root, "docs/findings"), join(dist, "docs/findings"), { recursive: true });
const inputs = { ...metafile.inputs, ...late.inputs };
writeBom({ inputs, root, version, file: join(dist, "bom.cdx.json") });

const last = `${dist}-last`;
process.once("exit", () => rmSync(last, { recursive: true, force: true }));
if (existsSync(place)) renameSync(place, last);
renameSync(dist, place);
