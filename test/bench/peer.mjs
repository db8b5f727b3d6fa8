import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CACHE } from "./nodes.mjs";
import { start } from "./process.mjs";

const FILE = join(CACHE, "bin/go");
const SOURCE = fileURLToPath(new URL("../interop/go", import.meta.url));

/** The grpc-go program of the interop suite, built anew: Go's cache makes that a second. */
export function buildPeer() {
  execFileSync("go", ["build", "-trimpath", "-ldflags", "-s -w", "-o", FILE, "."], {
    cwd: SOURCE,
    env: { ...process.env, CGO_ENABLED: "0" },
  });
}

/** Starts `serve`, `call`, `measure` or `idle`; `ready` is its first line. */
export async function startPeer(words) {
  const child = start(FILE, words);
  const ready = await nextAnswer(child);
  return {
    ready,
    pid: child.pid,
    async command(line) {
      const answer = nextAnswer(child);
      child.write(`${line}\n`);
      return answer;
    },
    kill: child.kill,
    stop: () => child.stop("SIGKILL"),
  };
}

async function nextAnswer(child) {
  const { line } = await child.line(() => true);
  const answer = JSON.parse(line);
  if (typeof answer.error === "string") throw new Error(`peer: ${answer.error}`);
  return answer;
}
