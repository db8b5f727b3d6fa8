import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { askApart } from "../../src/cli/apart.ts";
import { makeCertificates } from "../../src/demo/certificates.ts";
import { startChild } from "../../src/demo/child.ts";
import { startCollector } from "../sinks/otlp-collector.ts";
import { copyBuiltFolder } from "../support/built-folder.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { twoFreePorts } from "../support/ports.ts";
import { startRunningAgent } from "../support/running-agent.ts";

const built = copyBuiltFolder();
const good = join(built.folder, "good.yaml");
const bad = join(built.folder, "bad.yaml");
const pod = join(built.folder, "pod.yaml");
let server: GrpcServer;
let probes: string;

beforeAll(async () => {
  server = await startGrpcServer();
  probes = `targets: [{ name: app, address: "${server.address}" }]
probes:
  - name: get-order
    target: app
    method: order.OrderService/GetOrder
    request: { id: order-123 }
    every: 4s
    deadline: 4s
    expect: { that: ["response.price > 12.0"] }
`;
  writeFileSync(good, probes);
  writeFileSync(bad, "targets: []\n");
  writeFileSync(
    pod,
    `apiVersion: v1
kind: Pod
metadata: { name: orders, labels: { grpc-doctor.io/inject: "true" } }
spec: { containers: [{ name: app, image: orders, ports: [{ name: grpc, containerPort: 50051 }] }] }
`,
  );
});
afterAll(() => {
  server.crash();
  built.remove();
});

describe.concurrent("the built folder, away from node_modules", () => {
  const PATIENT = { timeout: 60_000 };

  // The longest, so it begins first: it mostly waits, and the others run meanwhile.
  it(
    "runs with a probe, CEL and tracing, answers its operator, ends on SIGTERM",
    PATIENT,
    async ({ expect, onTestFinished }) => {
      const collector = await startCollector();
      onTestFinished(collector.stop);
      const tracing = `tracing: { endpoint: "${collector.endpoint}", ratio: 1 }\n`;
      const environment = { OTEL_BSP_SCHEDULE_DELAY: "100" };
      const agent = await startRunningAgent(tracing + probes, { main: built.main, environment });
      const spans = await collector.received(2);
      const [status, drill, drain] = [
        await built.run("status", "--admin", agent.admin),
        await built.run("drill", "tls-san-mismatch", "--admin", agent.admin),
        await built.run("drain", "--admin", agent.admin),
      ];
      expect(spans.map(({ name }) => name)).toContain("probe get-order");
      expect(await agent.metrics()).toContain('probe_success{target="app",probe="get-order"} 1');
      expect({ status, drill, drain }).toMatchObject({
        status: { exit: 0 },
        drill: { exit: 0 },
        drain: { exit: 0 },
      });
      expect(await agent.stop()).toBe(0);
    },
  );

  it.for([
    [["--version"], /^grpc-doctor \d+\.\d+\.\d+\n$/],
    [["--help"], /^grpc-doctor .*\n\nUsage: /],
    [["codes"], /^.*tls-san-mismatch/m],
    [["explain", "tls-san-mismatch"], /^# tls-san-mismatch\n\n## What you see/],
    [["config", "check", good], /./],
    [["config", "print", "--config", good], /^targets:\n {2}- name: app\n/m],
    [["config", "schema"], /^\{\n {2}"\$schema"/],
    [["inject", pod], /name: grpc-doctor\b/],
    [["probe", "get-order", "--config", good], /OK/],
  ] as const)("runs %j", async ([argv, stdout], { expect }) => {
    const ended = await built.run(...argv);
    expect(ended).toEqual({ exit: 0, stdout: expect.stringMatching(stdout), stderr: "" });
  });

  it.for([
    [["health"], /SERVING/],
    [["check", "--for", "2s"], /^Examined for \d+ s(.*\n)*Nothing found\.\n$/],
    [["channelz"], /127\.0\.0\.1/],
    [["describe"], /order\.OrderService/],
    [["config", "init", "--target"], /order\.OrderService/],
  ] as const)("asks a real server: %j", async ([argv, stdout], { expect }) => {
    const ended = await built.run(...argv, server.address);
    expect(ended).toEqual({ exit: 0, stdout: expect.stringMatching(stdout), stderr: "" });
  });

  it("says of what it is made", async ({ expect }) => {
    const { components } = JSON.parse(readFileSync(join(built.folder, "bom.cdx.json"), "utf8")) as {
      readonly components: readonly {
        readonly purl: string;
        readonly licenses: readonly object[];
      }[];
    };
    const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const direct = Object.entries(dependencies).map(
      ([name, version]) => `pkg:npm/${name.replace("@", "%40")}@${version}`,
    );
    const made = components.map(({ purl }) => purl);
    expect(direct.filter((purl) => !made.includes(purl))).toEqual([]);
    // A line of a tool in the bundle would be a mistake of the build.
    expect(made.filter((purl) => /vitest|esbuild|typescript|fast-check/.test(purl))).toEqual([]);
    expect(components.filter(({ licenses }) => licenses.length !== 1)).toEqual([]);
  });

  it("calls a method by its reflection", async ({ expect }) => {
    const method = "order.OrderService/GetOrder";
    const ended = await built.run("call", "-d", '{"id":"order-123"}', server.address, method);
    expect(ended).toMatchObject({ exit: 0, stdout: expect.stringContaining('"price": 12.5') });
  });

  it("exits 3 for a bad file", async ({ expect }) => {
    const found = `${bad}:1:10: targets: found an empty list, allowed: at least one target\n1 fault\n`;
    expect(await built.run("config", "check", bad)).toMatchObject({ exit: 3, stderr: found });
  });

  it("reads a file in a process of its own", async ({ expect }) => {
    const fault = { file: bad, line: 1, column: 10, path: "targets" };
    expect(await askApart(built.main, ["read-settings", bad])).toMatchObject({ faults: [fault] });
    await expect(askApart(built.main, ["--version"])).rejects.toThrow("--version ended with 0");
  });

  it("serves reflection, health and channelz as the demo's server", async ({
    expect,
    onTestFinished,
  }) => {
    const [port] = await twoFreePorts();
    const { leaves } = await makeCertificates(Date.now());
    const actor = startChild(
      { file: built.main, arguments: ["demo-actor"] },
      {
        role: "server",
        port,
        serving: { kind: "grpc", host: "127.0.0.1" },
        protoDirectory: built.protoDirectory,
        leaves,
        maxConcurrentStreams: 100,
      },
    );
    onTestFinished(() => actor.kill());
    await actor.up;
    const address = `127.0.0.1:${port}`;
    const [described, healthy, tree] = await Promise.all([
      built.run("describe", address),
      built.run("health", address),
      built.run("channelz", address),
    ]);
    expect(described.stdout).toContain("order.OrderService\n");
    expect(healthy.stdout).toContain("SERVING");
    expect(tree).toMatchObject({ exit: 0, stderr: "" });
  });

  it("plays the demo", async ({ expect }) => {
    const [listen, admin] = await twoFreePorts();
    const places = ["--listen", `127.0.0.1:${listen}`, "--admin", `127.0.0.1:${admin}`];
    const demo = spawn(process.execPath, [built.main, "demo", "--fault", "dns-stale", ...places], {
      cwd: built.folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [chatter] = (await once(demo.stderr, "data")) as [Buffer];
    demo.kill("SIGTERM");
    const [exit] = (await once(demo, "exit")) as [number];
    expect(String(chatter)).toMatch(/^watched: {2}orders/);
    expect(exit).toBe(0);
  });
});
