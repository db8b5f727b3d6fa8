import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { startGrpcServer } from "../support/grpc-server.ts";
import { startRunningAgent } from "../support/running-agent.ts";

const MAIN = fileURLToPath(new URL("../../dist/lib/bin/main.js", import.meta.url));
const BAD = "targets: [{ name: app, adress: localhost:50051 }]\n";

describe.concurrent("a bad configuration", () => {
  it("on a terminal ends the program, with nothing started", async ({ expect, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "config.yaml");
    writeFileSync(file, BAD);
    const line = `${process.execPath} ${MAIN} run --config ${file} --listen 127.0.0.1:0 --admin 127.0.0.1:0`;
    const ended = await new Promise<object>((resolve) => {
      // script(1) gives it a terminal, and -e its exit code.
      const child = execFile("script", ["-qec", line, "/dev/null"], (_error, stdout) =>
        resolve({ exit: child.exitCode, stdout }),
      );
    });
    expect(ended).toEqual({
      exit: 3,
      stdout: expect.stringMatching(/adress: found an unknown key[^]*2 faults\r\n$/),
    });
  });

  it("in a pod is told, and the agent runs on until a good one comes", async ({
    expect,
    onTestFinished,
  }) => {
    const server = await startGrpcServer();
    onTestFinished(server.crash);
    const good = `targets: [{ name: app, address: "${server.address}" }]\n`;
    const agent = await startRunningAgent(BAD);
    onTestFinished(async () => void (await agent.stop()));

    const rejected = await agent.active(["config-rejected@grpc-doctor"]);
    expect(rejected.targets).toMatchObject([{ name: "grpc-doctor" }]);
    expect(rejected.active[0]?.evidence).toMatchObject({ faults: 2, runningOn: "default" });
    expect(await agent.metrics()).toContain("grpc_doctor_config_last_reload_successful 0");

    agent.configure(good);
    const healed = await agent.active([]);
    expect(healed.targets).toContainEqual({ name: "app", state: "watched", epoch: 1 });
    expect(await agent.metrics()).toContain("grpc_doctor_config_last_reload_successful 1");

    agent.configure(BAD);
    const kept = await agent.active(["config-rejected@grpc-doctor"]);
    expect(kept.active[0]?.evidence).toMatchObject({ faults: 2, runningOn: "last-good" });
    expect(kept.targets).toContainEqual({ name: "app", state: "watched", epoch: 1 });
  });
});
