import { expect, it, onTestFinished } from "vitest";
import { agentTools } from "../../src/cli/agent-tools.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { runLine } from "./run-line.ts";

it("favours memory once the daemon has started, and in nothing that ends by itself", async () => {
  const server = await startGrpcServer();
  onTestFinished(server.crash);
  const heard: string[] = [];
  const ending = new AbortController();
  const ended = runLine(
    `run --target ${server.address} --listen 127.0.0.1:0 --admin 127.0.0.1:0`,
    {
      signal: ending.signal,
      favourMemory: () => {
        heard.push("memory");
        ending.abort("SIGTERM");
      },
    },
    agentTools,
  );
  const { exit, stdout } = await ended;
  expect({ exit, heard }).toEqual({ exit: 0, heard: ["memory"] });
  expect(stdout).toContain('"otel.event.name":"grpc_doctor.agent.started"');
  await runLine(
    `health ${server.address}`,
    { favourMemory: () => heard.push("health") },
    agentTools,
  );
  expect(heard).toEqual(["memory"]);
});
