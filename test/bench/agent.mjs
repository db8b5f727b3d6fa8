import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAIN } from "./nodes.mjs";
import { start } from "./process.mjs";

/**
 * Starts the built agent with this command line. `configuration` is YAML, `listen` and `admin` are
 * added to it; or an address, which is watched without a file.
 */
export async function startAgent(commandLine, { configuration, address, flags = [] }) {
  const [listen, admin] = [await freeAddress(), await freeAddress()];
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-bench-"));
  const words =
    address === undefined
      ? ["--config", writeConfiguration(folder, configuration)]
      : ["--target", address];
  const child = start(
    commandLine.file,
    [...commandLine.flags, ...flags, MAIN, "run", ...words, "--listen", listen, "--admin", admin],
    commandLine.env,
  );
  return {
    pid: child.pid,
    listen,
    /** The next line of this event (`otel.event.name`) that `fits`. */
    event: (name, fits = () => true) =>
      child.line((line) => line.includes(`"${name}"`) && fits(JSON.parse(line))),
    kill: child.kill,
    metrics: async () => (await fetch(`http://${listen}/metrics`)).text(),
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The sum of a metric's series whose labels contain this text. */
export function sumOf(metrics, name, labels = "") {
  const lines = metrics.split("\n").filter((line) => line.startsWith(`${name}{`));
  const values = lines.filter((line) => line.includes(labels)).map((line) => line.split(" ")[1]);
  return values.reduce((sum, value) => sum + Number(value), 0);
}

function writeConfiguration(folder, text) {
  const file = join(folder, "config.yaml");
  writeFileSync(file, text);
  return file;
}

/** A port that was free a moment ago. */
function freeAddress() {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(`127.0.0.1:${port}`));
    });
  });
}
