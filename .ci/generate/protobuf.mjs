/**
 * src/proto/grpc/ → src/grpc/gen/ by buf and protoc-gen-es. Both are local: nothing is fetched.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = "src/grpc/gen";

export default {
  folder,
  async generate(root) {
    const out = await mkdtemp(path.join(tmpdir(), "grpc-doctor-gen-"));
    try {
      const bin = path.join(root, "node_modules/.bin");
      const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
      const cwd = path.join(root, "src/proto");
      await run(path.join(bin, "buf"), ["generate", "--output", out], { cwd, env });

      const files = new Map();
      const entries = await readdir(out, { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((each) => each.isFile())) {
        const source = path.join(entry.parentPath ?? entry.path, entry.name);
        files.set(path.join(folder, path.relative(out, source)), await readFile(source, "utf8"));
      }
      return files;
    } finally {
      await rm(out, { recursive: true });
    }
  },
};
