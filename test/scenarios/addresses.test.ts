import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "vitest";
import { startGrpcServer } from "../support/grpc-server.ts";
import { startRunningAgent } from "../support/running-agent.ts";

describe.concurrent("a target that is not at an IPv4 address", () => {
  it("is watched over IPv6 alone, and missed when it is gone", async ({
    expect,
    onTestFinished,
  }) => {
    const server = await startGrpcServer({ bind: "[::1]:0" });
    const configuration = `targets: [{ name: app, address: "[::1]:${server.port}" }]\n`;
    const agent = await startRunningAgent(configuration);
    onTestFinished(async () => void (await agent.stop()));

    const { targets } = await agent.staysQuiet(15_000);
    expect(targets).toContainEqual({ name: "app", state: "watched", epoch: 1 });
    expect(await agent.metrics()).toContain('grpc_doctor_target_up{target="app"} 1');

    server.crash();
    await agent.active(["connection-refused@app"]);
  });

  it("is watched at a unix socket, and missed when it is gone", async ({
    expect,
    onTestFinished,
  }) => {
    const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const address = `unix:${join(folder, "app.sock")}`;
    const server = await startGrpcServer({ bind: address });
    const agent = await startRunningAgent(`targets: [{ name: app, address: "${address}" }]\n`);
    onTestFinished(async () => void (await agent.stop()));

    const { targets } = await agent.staysQuiet(15_000);
    expect(targets).toContainEqual({ name: "app", state: "watched", epoch: 1 });
    expect(await agent.metrics()).toContain('grpc_doctor_target_up{target="app"} 1');

    server.crash();
    await agent.active(["connection-refused@app"]);
  });
});
