import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, it } from "vitest";
import { addNetworkNamespace, type NetworkNamespace } from "../support/network-namespace.ts";
import { startProgram } from "../support/process.ts";
import type { PrintedFindings } from "../support/running-agent.ts";

/** `.ci/run` builds it; without it these tests fail. */
const IMAGE = "localhost/grpc-doctor:test";
const SCRIPT = fileURLToPath(new URL("../../.ci/image.sh", import.meta.url));
const RESTRICTED = [
  "--read-only",
  "--read-only-tmpfs=false",
  "--cap-drop=ALL",
  "--security-opt=no-new-privileges",
];

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent("the image, in a pod's network", () => {
  it("watches its neighbour, unprivileged, and ends on SIGTERM", async ({
    expect,
    onTestFinished,
  }) => {
    const network = addNetworkNamespace(`grpc-doctor-a${process.pid}`);
    onTestFinished(() => network.remove());
    // Breaks payments, and leaves the order service well.
    const fault = ["--fault", "tls-san-mismatch"];
    const demo = ["demo", ...fault, "--listen", "127.0.0.1:29464", "--admin", "127.0.0.1:29465"];
    const app = await startProgram(container(network, ["--tmpfs", "/tmp"], demo), (output) =>
      output.includes("watched: "),
    );
    onTestFinished(async () => void (await app.end("SIGTERM")));
    const orders = /orders \((127\.0\.0\.1:\d+)\)/.exec(app.output())?.[1];

    const agent = await startProgram(
      container(network, [], ["run", "--target", String(orders)]),
      (output) => output.includes("SERVING"),
    );
    const metrics = await network.get("http://127.0.0.1:19464/metrics");
    const status = statusOf(network, "/app/lib/bin/main.js\0run");
    const exit = await agent.end("SIGTERM");

    expect(metrics).toContain('grpc_doctor_target_up{target="app"} 1');
    expect(status).toMatchObject({
      Uid: "65532\t65532\t65532\t65532",
      CapEff: "0000000000000000",
      NoNewPrivs: "1",
    });
    expect(exit).toBe(0);
  });

  it("runs on with a broken configuration, and says so", async ({ expect, onTestFinished }) => {
    const network = addNetworkNamespace(`grpc-doctor-b${process.pid}`);
    onTestFinished(() => network.remove());
    writeFileSync(join(folder, "config.yaml"), "targets: [{ name: app }]\n");
    const agent = await startProgram(
      container(
        network,
        ["-v", `${folder}:/config:ro`],
        ["run", "--config", "/config/config.yaml"],
      ),
      (output) => output.includes("config-rejected"),
    );
    const healthy = await network.get("http://127.0.0.1:19464/-/healthy");
    const findings = await network.get("http://127.0.0.1:19465/findings");
    const exit = await agent.end("SIGTERM");

    expect(healthy).toMatch(/./);
    const { active } = JSON.parse(findings) as PrintedFindings;
    expect(active).toMatchObject([{ code: "config-rejected", target: "grpc-doctor" }]);
    expect(exit).toBe(0);
  });
});

describe("the image's files", () => {
  const files = filesOf(IMAGE);
  const named = (pattern: RegExp) =>
    files.map(({ path }) => path).filter((path) => pattern.test(path));
  const ours = files.filter(({ path }) => path.startsWith("/app/"));

  it("are what the agent needs, and where it came from", ({ expect }) => {
    const top = new Set(ours.map(({ path }) => path.split("/")[2]));
    expect([...top].map(String).toSorted()).toEqual([
      ".compile-cache",
      "bom.cdx.json",
      "docs",
      "grpc-doctor",
      "lib",
      "package.json",
      "proto",
    ]);
    const kinds = new Set(
      ours.map(({ path }) => /(?<=^\/app\/(?:lib|docs|proto)\/.*)\.\w+$/.exec(path)?.[0]),
    );
    expect([...kinds].filter((kind) => kind !== undefined).toSorted()).toEqual([
      ".cjs",
      ".js",
      ".md",
      ".proto",
      ".wasm",
    ]);
  });

  it("hold no shell, no package manager and no tool to fetch or build with", ({ expect }) => {
    const tools =
      "(?:ba|da|a|z|k)?sh|busybox|env|apt(?:-get)?|dpkg|apk|rpm|npm|npx|corepack|yarn|pip3?|python3?|perl|curl|wget|nc|gcc|cc|make|git|su|sudo|mount";
    expect(named(new RegExp(`/(?:${tools})$`)).filter((path) => !path.startsWith("/etc/"))).toEqual(
      [],
    );
    expect(named(/\/node_modules\//)).toEqual([]);
  });

  it("hold no source, map, key or trace of the build", ({ expect }) => {
    expect(
      named(
        /\.(?:map|ts|tsx|key|p12|pfx|log)$|\/(?:\.git|\.npmrc|\.env|\.ssh|package-lock\.json)(?:\/|$)/,
      ),
    ).toEqual([]);
    expect(
      ours.filter(({ path, marks }) => marks.length > 0 && !path.includes("/.compile-cache/")),
    ).toEqual([]);
  });

  it("give nobody another's rights, and nobody else the right to write", ({ expect }) => {
    expect(files.filter(({ mode }) => (mode & 0o6000) !== 0)).toEqual([]);
    expect(ours.filter(({ mode }) => (mode & 0o022) !== 0)).toEqual([]);
  });
});

interface ImageFile {
  readonly path: string;
  readonly mode: number;
  /** What of a build or a secret its content names. */
  readonly marks: readonly string[];
}

/** Every file of the image, as a process in it sees them: there is no shell to ask. */
function filesOf(image: string): readonly ImageFile[] {
  const script = `
    const fs = require("node:fs");
    const MARKS = [/sourceMappingURL/, /\\/src\\/node_modules/, /\\/src\\/src\\//, /\\/root\\//, /PRIVATE KEY-----[^a-zA-Z0-9+]{1,4}[\\w+/]{30}/];
    const files = [];
    const walk = (folder) => {
      for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
        const path = (folder === "/" ? "" : folder) + "/" + entry.name;
        if (["/proc", "/sys", "/dev", "/run", "/tmp"].includes(path)) continue;
        if (entry.isDirectory()) { try { walk(path); } catch { /* not ours to read */ } continue; }
        const text = path.startsWith("/app/") ? fs.readFileSync(path, "latin1") : "";
        files.push({ path, mode: entry.isSymbolicLink() ? 0 : fs.lstatSync(path).mode, marks: MARKS.filter((mark) => mark.test(text)).map(String) });
      }
    };
    walk("/");
    process.stdout.write(JSON.stringify(files));`;
  const line = ["run", ...RESTRICTED, "--entrypoint", "/nodejs/bin/node", image, "-e", script];
  const text = execFileSync(SCRIPT, line, { maxBuffer: 2 ** 26, encoding: "utf8" });
  return JSON.parse(text) as readonly ImageFile[];
}

function container(
  network: NetworkNamespace,
  options: readonly string[],
  argv: readonly string[],
): readonly string[] {
  return [
    SCRIPT,
    "run",
    ...RESTRICTED,
    "--network",
    `ns:${network.path}`,
    ...options,
    IMAGE,
    ...argv,
  ];
}

/** /proc/PID/status of the process in this network whose command line holds these words. */
function statusOf(network: NetworkNamespace, words: string): Readonly<Record<string, string>> {
  const name = network.path.split("/").at(-1) ?? "";
  const pids = String(execFileSync("ip", ["netns", "pids", name]))
    .trim()
    .split("\n");
  const pid = pids.find((one) => readFileSync(`/proc/${one}/cmdline`, "utf8").includes(words));
  const lines = readFileSync(`/proc/${pid}/status`, "utf8").trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(":\t")));
}
