import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/**
 * Fills the compile cache (`NODE_COMPILE_CACHE`) by running the built agent as it will be run.
 *   node FLAGS... .ci/warm.mjs MAIN
 * An entry holds only for the flags that made it, so they are handed on to the agent. It watches a
 * server that knows no service, with a probe, so that grpc-js is loaded too; and asks for health once.
 */
const RUN_MS = 5_000;
const [main] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-warm-"));
const server = createServer();
server.on("stream", (stream) => {
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", "grpc-status": "12" },
    { endStream: true },
  );
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `127.0.0.1:${server.address().port}`;
const config = join(folder, "config.yaml");
writeFileSync(
  config,
  `listen: "127.0.0.1:0"
admin: "127.0.0.1:0"
targets: [{ name: app, address: "${address}" }]
probes: [{ name: health, target: app, method: grpc.health.v1.Health/Check, every: 1s, deadline: 500ms }]
`,
);

await grpcDoctor(["health", address]);
await grpcDoctor(["run", "--config", config], RUN_MS);
server.close();
rmSync(folder, { recursive: true });

/** Resolves when it has ended, asked to after `ms`. */
function grpcDoctor(words, ms) {
  const child = spawn(process.execPath, [...process.execArgv, main, ...words], { stdio: "ignore" });
  const stop = ms === undefined ? undefined : setTimeout(() => child.kill("SIGTERM"), ms);
  return new Promise((resolve) =>
    child.once("exit", () => {
      clearTimeout(stop);
      resolve();
    }),
  );
}
