import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** What only a server, or a client that serves channelz, asks of grpc-js and its sisters. */
const PROTO_LOADER = /^(?:@grpc\/proto-loader|protobufjs\/ext\/descriptor)$/;
const LLHTTP = /\/undici\/lib\/llhttp\/(llhttp(?:_simd)?)-wasm\.js$/;

/**
 * Parts of packages as files of their own beside the chunks, read when they are asked for: V8 keeps the text of a
 * chunk as long as a line of it lives. @grpc/proto-loader with protobufjs, 190 KB, stands in the chunk of grpc-js
 * and is loaded by a server; undici has its parser of HTTP twice, as text that is decoded (145 KB).
 */
export function lateFiles(folder) {
  return {
    name: "late-files",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: PROTO_LOADER }, ({ path }) => ({ path, namespace: "proto-loader" }));
      onResolve({ filter: /^\.\/proto-loader\.cjs$/ }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /./, namespace: "proto-loader" }, ({ path }) => ({
        contents: `module.exports = require("./proto-loader.cjs")[${JSON.stringify(path)}];`,
      }));
      onLoad({ filter: LLHTTP }, ({ path }) => ({ contents: bytesBeside(path, folder) }));
    },
  };
}

/** Builds the file that `lateFiles` refers to; its metafile tells what is in it. */
export async function buildProtoLoader(folder, options) {
  const names = ["@grpc/proto-loader", "protobufjs/ext/descriptor"].map((name) =>
    JSON.stringify(name),
  );
  const contents = `module.exports = { ${names.map((name) => `${name}: require(${name})`).join(", ")} };`;
  const { metafile } = await build({
    ...options,
    stdin: { contents, resolveDir: options.absWorkingDir },
    outfile: join(folder, "proto-loader.cjs"),
    bundle: true,
    metafile: true,
    format: "cjs",
    platform: "node",
  });
  return metafile;
}

/** Writes the bytes that the module has in base64, and says how to read them. */
function bytesBeside(path, folder) {
  const [, name] = LLHTTP.exec(path);
  const [, base64] = /^const wasmBase64 = '([^']+)'$/m.exec(readFileSync(path, "utf8"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.wasm`), Buffer.from(base64, "base64"));
  return `
    const { readFileSync } = require("node:fs");
    const { join } = require("node:path");
    module.exports = readFileSync(join(__dirname, ${JSON.stringify(`${name}.wasm`)}));
  `;
}
