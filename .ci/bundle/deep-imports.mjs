import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { fileDesc } from "@bufbuild/protobuf/codegenv2";
import * as wkt from "@bufbuild/protobuf/wkt";
import { writtenFile } from "./written-file.mjs";

/**
 * Imports from an index of @bufbuild/protobuf become imports of the files that declare the names. A file that
 * lies behind an index is loaded by everybody who imports that index, once anybody in the bundle uses it: the
 * agent without probes would load JSON, text formats and the descriptor of descriptors (2 MiB) for nothing.
 */
const library = dirname(fileURLToPath(import.meta.resolve("@bufbuild/protobuf")));
const RE_EXPORT = /^export (\*|\{[^}]+\}) from "(.+)";$/gm;
const DECLARATION = /^export (?:const|var|class|function\*?) (\w+)/gm;
/** As protoc-gen-es writes it: bytes in base64, and the files that the file imports. */
const FILE_DESC = /\bfileDesc\("([\w+/]+)"(?:, \[([^\]]+)\])?\)/;
const FILE_DESC_IMPORT = /import \{ fileDesc \} from "[^"]+";/;
const GOOGLES = new Map(Object.entries(wkt));
const HYDRATED = fileURLToPath(new URL("hydrated-file.mjs", import.meta.url));
const IMPORT = /^import (?!type\b)\{([^}]+)\} from ["']([^"']+)["'];?/gm;

const INDICES = new Map(
  ["index.js", "wkt/index.js", "codegenv2/index.js"]
    .map((path) => join(library, path))
    .map((index) => [index, namesOf(index)]),
);

export const deepImports = {
  name: "deep-imports",
  setup({ onLoad }) {
    onLoad({ filter: /\/(?:src\/grpc|@bufbuild|\.ci\/bundle)\/.*\.m?[jt]s$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text.replace(IMPORT, (statement, list, from) => {
        const files = INDICES.get(fileOf(from, path));
        return files === undefined ? statement : deep(list, files);
      });
      return { contents: withoutBytes(contents), loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

/** The descriptor of a generated file from plain data in place of bytes, where all that it imports is Google's. */
function withoutBytes(text) {
  const [call, bytes, list = ""] = FILE_DESC.exec(text) ?? [];
  const names = list.split(", ").filter((name) => name !== "");
  if (call === undefined || !names.every((name) => GOOGLES.has(name))) return text;
  const imports = names.map((name) => GOOGLES.get(name));
  const written = JSON.stringify(writtenFile(fileDesc(bytes, imports)));
  // An import that is not used any more would still load the file, once another file of the bundle uses it.
  const rest = text
    .replace(FILE_DESC_IMPORT, "")
    .replace(call, () => `hydratedFile(${written}, [${list}])`);
  return `import { hydratedFile } from ${JSON.stringify(HYDRATED)};\n${rest}`;
}

/** One statement for each name; types are none. */
function deep(list, files) {
  const words = list.split(",").map((word) => word.trim());
  const wanted = words.filter((word) => word !== "" && !word.startsWith("type "));
  const statements = wanted.map((word) => {
    const file = files.get(word.split(" as ")[0]);
    if (file === undefined) throw new Error(`no file of @bufbuild/protobuf declares ${word}`);
    return `import { ${word} } from ${JSON.stringify(file)};`;
  });
  return statements.join(" ");
}

function fileOf(specifier, importer) {
  if (specifier.startsWith(".")) return resolve(dirname(importer), specifier);
  if (!/^@bufbuild\/protobuf(?:\/|$)/.test(specifier)) return undefined;
  return fileURLToPath(import.meta.resolve(specifier));
}

/** Which file declares each name that an index exports. */
function namesOf(index) {
  const all = new Map();
  for (const [, list, from] of readFileSync(index, "utf8").matchAll(RE_EXPORT)) {
    const file = resolve(dirname(index), from);
    const names = list === "*" ? declaredIn(file) : list.match(/\w+/g);
    for (const name of names) all.set(name, file);
  }
  return all;
}

function declaredIn(file) {
  return Array.from(readFileSync(file, "utf8").matchAll(DECLARATION), ([, name]) => name);
}
