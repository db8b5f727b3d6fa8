import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { anAgent, type Stage, toldLoudly } from "../interop/scene.ts";
import { falls } from "../support/falls.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { MAIN, type RunningAgent } from "../support/running-agent.ts";

/** A disk that takes nothing: the agent says once what it lost, and works. Each in mounts of its own; needs root. */
const PATIENCE = { timeout: 120_000, interval: 250 };

describe.concurrent("where the disk", () => {
  it("is read-only, the agent loses its snapshots, and reloads", async (stage) => {
    const app = await anApp(stage);
    const folder = aFolder(stage);
    const settings = `snapshots: ${folder}\n${watching(app)}`;
    const prefix = inMounts("mount -o remount,bind,ro /");
    const agent = await anAgent(stage, settings, { prefix });
    await falls(app, agent);
    await agent.active(["health-not-serving"]);
    await vi.waitUntil(() => linesOf(agent, "sink").length > 0, PATIENCE);
    agent.configure(settings.replace("name: app", "name: orders"));
    await vi.waitUntil(() => linesOf(agent, "config.loaded").length > 0, PATIENCE);
    expect((await agent.findings()).targets.at(-1)).toMatchObject({ name: "orders" });
    expect(await agent.stop()).toBe(0);
    // The one at the end is lost too, and not told again.
    expect(linesOf(agent, "sink")).toEqual([expect.stringContaining("EROFS")]);
    expect(linesOf(agent, "snapshot")).toEqual([]);
    expect(toldLoudly(agent)).toEqual(["health-not-serving"]);
  });

  it("is full, the agent loses its snapshots until there is room", async (stage) => {
    const app = await anApp(stage);
    const folder = aFolder(stage);
    const prefix = inMounts(`mount -t tmpfs -o size=4k none ${folder}`);
    const agent = await anAgent(stage, `snapshots: ${folder}\n${watching(app)}`, { prefix });
    await falls(app, agent);
    await agent.active(["health-not-serving"]);
    await vi.waitUntil(() => linesOf(agent, "sink").length > 0, PATIENCE);
    const mounts = ["--target", String(agent.pid), "--mount"];
    execFileSync("nsenter", [...mounts, "mount", "-o", "remount,size=16m", folder]);
    expect(await agent.stop()).toBe(0);
    expect(linesOf(agent, "sink")).toEqual([
      expect.stringContaining("snapshots cannot be written: ENOSPC"),
      "snapshots can be written again",
    ]);
    expect(linesOf(agent, "snapshot")).toEqual([expect.stringContaining("-stopping.json")]);
    expect(toldLoudly(agent)).toEqual(["health-not-serving"]);
  });

  it.for([
    ["is read-only", "ro", "EROFS"],
    ["is full", "size=4k", "ENOSPC"],
  ] as const)(
    "%s, `check --save` reports, and says what it could not",
    async ([, options, code], stage) => {
      const app = await anApp(stage);
      const folder = aFolder(stage);
      const file = join(folder, "snapshot.json");
      const prefix = inMounts(`mount -t tmpfs -o ${options} none ${folder}`);
      const line = [...prefix, process.execPath, MAIN, "check", app.address, "--save", file];
      expect(await outcome(line)).toEqual({
        exit: 2,
        stdout: expect.stringContaining(app.address),
        stderr: expect.stringContaining(`--save ${file} cannot be written (${code}); - is stdout`),
      });
    },
  );
});

async function anApp(stage: Stage): Promise<GrpcServer> {
  const app = await startGrpcServer();
  stage.onTestFinished(async () => app.crash());
  return app;
}

function aFolder(stage: Stage): string {
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
  stage.onTestFinished(async () => rmSync(folder, { recursive: true }));
  return folder;
}

const watching = (app: GrpcServer) => `targets: [{ name: app, address: "${app.address}" }]`;

const inMounts = (mount: string) => ["unshare", "-m", "sh", "-c", `${mount} && exec "$@"`, "sh"];

/** Texts of the lines about this. */
function linesOf({ log }: RunningAgent, about: string): readonly string[] {
  const isAbout = (name: unknown) => String(name).startsWith(`grpc_doctor.${about}`);
  return log.filter((line) => isAbout(line["otel.event.name"])).map(({ msg }) => String(msg));
}

function outcome([file = "", ...argv]: readonly string[]) {
  return new Promise((resolve) => {
    const child = execFile(file, argv, (_, stdout, stderr) =>
      resolve({ exit: child.exitCode, stdout, stderr }),
    );
  });
}
