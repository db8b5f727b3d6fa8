import { truncateSync, writeFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import type { Peer } from "../interop/peer.ts";
import { addressOf, anAgent, aServer, type Stage, seconds, toldLoudly } from "../interop/scene.ts";
import { bundle, issue, issueCa, writeFiles } from "../support/certificates.ts";
import { mountConfigMap } from "../support/config-map.ts";
import type { RunningAgent } from "../support/running-agent.ts";

/** Files that are swapped, or caught half-written, under a running agent. */
const PATIENCE = { timeout: 90_000, interval: 250 };
const SWAPS = 20;

describe.concurrent("a file is replaced:", () => {
  it("a ConfigMap twenty times in a second, with good and bad files", async (stage) => {
    const app = await aServer(stage, "go", ["--count"]);
    const volume = mountConfigMap({ "config.yaml": watching(app, "first") });
    stage.onTestFinished(async () => volume.remove());
    const agent = await anAgent(stage, "", { file: volume.path("config.yaml") });
    const runsOf = async (probe: string) => runs(await agent.metrics(), probe);
    await vi.waitUntil(async () => (await runsOf("steady")) >= 3, PATIENCE);
    const before = { runs: await runsOf("steady"), watches: await watchesAt(app) };

    await swapOften((turn) =>
      volume.swap({ "config.yaml": turn % 2 === 0 ? BAD : watching(app, `turn-${turn}`) }),
    );
    const last = watching(app, "last");
    volume.swap({ "config.yaml": last });
    await vi.waitUntil(async () => (await runsOf("last")) >= 1, PATIENCE);
    await swapOften((turn) =>
      volume.swap({ "config.yaml": turn % 2 === 0 ? watching(app, `other-${turn}`) : BAD }),
    );
    volume.swap({ "config.yaml": BAD });
    await agent.active(["config-rejected"]);
    volume.swap({ "config.yaml": last });
    await vi.waitUntil(async () => isLoaded(await agent.metrics()), PATIENCE);
    const still = await runsOf("last");
    await vi.waitUntil(async () => (await runsOf("last")) > still, PATIENCE);

    // What all the good files say ran through it all: its connection, its channel, its counters.
    expect(await runsOf("steady")).toBeGreaterThan(before.runs);
    expect(before.watches).toBeGreaterThan(0);
    expect(await watchesAt(app)).toBe(before.watches);
    expect(probesOf(await agent.metrics())).toEqual(["last", "steady"]);
    const { targets } = await agent.findings();
    expect(targets.at(-1)).toEqual({ name: "app", state: "watched", epoch: 1 });
    expect(toldLoudly(agent)).toEqual(["config-rejected"]);
    // At most one reading in a quarter of a second: of forty-two files a few are ever seen.
    expect(linesAbout(agent, "config").length).toBeLessThan(30);
  });

  it("credentials, half-written and then whole", async (stage) => {
    const files = await someCredentials(stage);
    const { paths } = files;
    const secured = ["--cert", paths["server.pem"], "--key", paths["server.key"]];
    const app = await aServer(stage, "go", [...secured, "--client-ca", paths["ca.pem"], "--count"]);
    const agent = await anAgent(stage, showing(app, paths));
    await calls(agent, 2);

    truncateSync(paths["client.pem"], 300);
    writeFileSync(paths["token"], "");
    await vi.waitUntil(() => linesAbout(agent, "credentials").length === 2, PATIENCE);
    await calls(agent, 5);
    expect(linesAbout(agent, "credentials").toSorted()).toEqual([
      `warn ${paths["ca.pem"]}, ${paths["client.pem"]}, ${paths["client.key"]} cannot be used`,
      `warn ${paths["token"]} cannot be used`,
    ]);

    writeFileSync(paths["client.pem"], files.renewed.cert);
    await calls(agent, 3);
    expect(linesAbout(agent, "credentials")).toHaveLength(2);
    writeFileSync(paths["client.key"], files.renewed.key);
    writeFileSync(paths["token"], "second");
    await vi.waitUntil(() => linesAbout(agent, "credentials").length === 4, PATIENCE);
    await calls(agent, 3);
    expect(linesAbout(agent, "credentials").slice(2).toSorted()).toEqual([
      `info ${paths["ca.pem"]}, ${paths["client.pem"]}, ${paths["client.key"]} can be used`,
      `info ${paths["token"]} can be used`,
    ]);
    expect(toldLoudly(agent)).toEqual([]);
    expect(failuresOf(await agent.metrics())).toEqual([]);
  });
});

const BAD = "targets: [{ name: app, adress: 1 }]\nprobes: 7\n";

const watching = (app: Peer, probe: string) => `
targets: [{ name: app, address: "${addressOf(app)}" }]
probes:
  - { name: steady, target: app, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 1s, deadline: 900ms }
  - { name: ${probe}, target: app, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 1s, deadline: 900ms }
`;

async function swapOften(swap: (turn: number) => void): Promise<void> {
  for (let turn = 0; turn < SWAPS; turn += 1) {
    swap(turn);
    await seconds(1 / SWAPS);
  }
}

/** How many Watches were ever opened: a kept connection that lives on needs no second one. */
async function watchesAt(app: Peer): Promise<number> {
  const { counted } = (await app.command("counted")) as {
    readonly counted: Readonly<Record<string, { readonly methods: Record<string, number> }>>;
  };
  return counted["127.0.0.1"]?.methods["/grpc.health.v1.Health/Watch"] ?? 0;
}

const RUNS = /^grpc_doctor_probe_runs_total\{(?=.*probe="([^"]+)").*\} (\d+)$/gm;

function runs(metrics: string, probe: string): number {
  const all = [...metrics.matchAll(RUNS)].filter(([, name]) => name === probe);
  return all.reduce((sum, [, , count]) => sum + Number(count), 0);
}

const isLoaded = (metrics: string) =>
  metrics.includes("grpc_doctor_config_last_reload_successful 1");

const probesOf = (metrics: string) =>
  [...new Set([...metrics.matchAll(RUNS)].map(([, name = ""]) => name))].toSorted();

/** Probes that failed, and X-rays that did. */
const failuresOf = (metrics: string) =>
  metrics.match(/^grpc_doctor_(?:probe|connection)_failures_total\{.*\} [1-9]\d*$/gm) ?? [];

/** `level` and `msg`, up to the reason. */
function linesAbout({ log }: RunningAgent, component: "config" | "credentials"): readonly string[] {
  const about = (name: unknown) => String(name).startsWith(`grpc_doctor.${component}.`);
  return log
    .filter((line) => about(line["otel.event.name"]))
    .map(({ level, msg }) => `${String(level)} ${String(msg).replace(/ \(.*| again.*/, "")}`);
}

/** Resolves after so many more calls over connections of their own, each with the credentials of then. */
async function calls(agent: RunningAgent, more: number): Promise<void> {
  const begin = runs(await agent.metrics(), "fresh");
  await vi.waitUntil(async () => runs(await agent.metrics(), "fresh") >= begin + more, PATIENCE);
}

type Credential = "ca.pem" | "server.pem" | "server.key" | "client.pem" | "client.key" | "token";

async function someCredentials(stage: Stage) {
  const ca = await issueCa();
  const server = await issue({ issuer: ca, dns: ["orders.shop"] });
  const [first, second] = [await issue({ issuer: ca }), await issue({ issuer: ca })];
  const written = await writeFiles({
    "ca.pem": ca.cert,
    "server.pem": bundle(server, ca),
    "server.key": server.key,
    "client.pem": bundle(first, ca),
    "client.key": first.key,
    token: "first",
  });
  stage.onTestFinished(() => written.remove());
  return { paths: written.paths, renewed: { cert: bundle(second, ca), key: second.key } };
}

const showing = (app: Peer, paths: Readonly<Record<Credential, string>>) => `
targets:
  - name: app
    address: "${addressOf(app)}"
    authority: orders.shop
    tls: { ca: ${paths["ca.pem"]}, cert: ${paths["client.pem"]}, key: ${paths["client.key"]} }
    metadata: { authorization: { file: ${paths["token"]}, prefix: "Bearer " } }
probes:
  - { name: fresh, target: app, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 1s, deadline: 900ms, connection: fresh }
`;
