import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Peer, peerBinary, startPeer } from "../interop/peer.ts";
import { bundle, issue, issueCa, writeFiles } from "../support/certificates.ts";
import { type RunningProgram, startProgram } from "../support/process.ts";
import { type ScriptedResolver, startResolver } from "../support/resolver.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";
import { asInTheImage } from "./image.ts";
import { type LastingServer, startLastingServer } from "./lasting-server.ts";
import { aLastingPort } from "./ports.ts";

/** The address that only the agent dials, and the one of the callers. */
const AGENTS = "127.0.0.1";
const CALLERS = "127.0.0.9";
/** A new one for each replica, as in a cluster: an address that comes back would be a rotating set. */
const upstreamAddress = (replica: number) =>
  `127.0.${10 + Math.floor(replica / 250)}.${1 + (replica % 250)}`;
const NAME = "orders.test";
/** More than the callers have in flight when every call runs past its deadline. */
export const MAX_STREAMS = 100;
const TTL_SECONDS = 5;

export type CertificateName = "right" | "renewed" | "other" | "expired";

/** What the agent watches: an app under load, a TLS server, an upstream by name, and a collector. */
export interface World {
  readonly agent: RunningAgent;
  /** Reading it takes one signal; see inside.mjs. */
  readonly insideFile: string;
  readonly app: LastingServer;
  readonly caller: Peer;
  readonly payments: LastingServer;
  serve(certificate: CertificateName): Promise<void>;
  readonly upstream: Upstream;
  /** The collector of the spans; it may be away. */
  readonly collector: { start(): Promise<void>; kill(): Promise<void> };
  configuration(change?: { readonly more?: string; readonly every?: string }): string;
  stop(): Promise<void>;
}

/** One replica at a time, behind a name; the app and a caller of its own hold connections to it. */
interface Upstream {
  readonly zone: ScriptedResolver;
  /** The name points to the other replica from now on, the old one stays. */
  move(): Promise<void>;
  killOld(): Promise<void>;
  fail(): void;
  heal(): void;
}

export async function startWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-soak-"));
  const certificates = await someCertificates();
  const { paths } = certificates;
  const [appPort, paymentsPort, upstreamPort, otlpPort] = [
    await aLastingPort(),
    await aLastingPort(),
    await aLastingPort(),
    await aLastingPort(),
  ];
  const collector = aCollector(otlpPort, folder);
  await collector.start();
  const upstream = await anUpstream(upstreamPort);
  const orders = `dns://${upstream.zone.address}/${NAME}:${upstreamPort}`;
  const app = await startLastingServer(`0.0.0.0:${appPort}`, AGENTS, [
    `--max-streams=${MAX_STREAMS}`,
    `--calls=${orders}`,
  ]);
  const serving = (name: CertificateName) => [paths[`${name}.pem`], paths[`${name}.key`]] as const;
  const payments = await startLastingServer(`0.0.0.0:${paymentsPort}`, AGENTS, [
    `--cert=${serving("right")[0]}`,
    `--key=${serving("right")[1]}`,
  ]);
  const load = ["--rate", "50", "--deadline", "1.2s"];
  const caller = await startPeer("go", ["call", "--target", `${CALLERS}:${appPort}`, ...load]);
  const standing = await startPeer("go", ["call", "--target", orders, "--rate", "2"]);
  const configuration: World["configuration"] = ({ more = "", every = "5s" } = {}) => `
tracing: { endpoint: "http://127.0.0.1:${otlpPort}", ratio: 1 }
snapshots: ${join(folder, "snapshots")}
targets:
  - { name: app, address: "${AGENTS}:${appPort}" }
  - name: payments
    address: "${AGENTS}:${paymentsPort}"
    authority: payments.shop.svc
    tls: { ca: ${paths["ca.pem"]} }
  - { name: orders, role: upstream, address: "${orders}" }
probes:
  - { name: get-order, target: app, method: order.OrderService/GetOrder, request: { id: order-1 }, every: ${every}, deadline: 1s, expect: { latency: 250ms, that: ['response.price > 0.0'] } }
  - { name: pay, target: payments, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 30s, connection: fresh }
${more}
findings:
  deadline-storm: { clearAfter: 60s }
  dns-stale: { clearAfter: 60s }
  health-flapping: { window: 2m, clearAfter: 60s }
  probe-slow: { clearAfter: 60s }
`;
  const insideFile = join(folder, "inside.json");
  const image = asInTheImage();
  const agent = await startRunningAgent(configuration(), {
    node: [...image.node, "--import", fileURLToPath(new URL("inside.mjs", import.meta.url))],
    environment: { ...image.environment, GRPC_DOCTOR_SOAK_INSIDE: insideFile },
  });
  return {
    agent,
    insideFile,
    app,
    caller,
    payments,
    upstream,
    collector,
    configuration,
    async serve(name) {
      await payments.command(`certificate ${serving(name).join(" ")}`);
    },
    async stop() {
      await agent.stop();
      await Promise.all([caller.stop(), standing.stop(), app.kill(), payments.kill()]);
      await Promise.all([upstream.stop(), collector.kill(), certificates.remove()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function anUpstream(port: number): Promise<Upstream & { stop(): Promise<void> }> {
  let current = 0;
  const start = (replica: number) =>
    startPeer("go", ["serve", "--listen", `${upstreamAddress(replica)}:${port}`]);
  const zone = await startResolver();
  const heal = () =>
    zone.script({ [NAME]: { a: [upstreamAddress(current)], ttlSeconds: TTL_SECONDS } });
  heal();
  const replicas = [await start(0)];
  return {
    zone,
    heal,
    fail: () => zone.script({ [NAME]: { fault: "SERVFAIL" } }),
    async move() {
      replicas.push(await start(current + 1));
      current += 1;
      heal();
    },
    async killOld() {
      await replicas.shift()?.stop();
    },
    async stop() {
      await Promise.all([zone.close(), ...replicas.map((replica) => replica.stop())]);
    },
  };
}

function aCollector(port: number, folder: string): World["collector"] {
  const file = join(folder, "collector.yaml");
  writeFileSync(
    file,
    `receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${port}" } } }
exporters: { file: { path: "/dev/null" } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [file] } }
`,
  );
  let program: RunningProgram | undefined;
  return {
    async start() {
      const line = [peerBinary("collector"), "--config", file];
      program = await startProgram(line, (output) => output.includes("Everything is ready"));
    },
    async kill() {
      await program?.end("SIGKILL");
      program = undefined;
    },
  };
}

async function someCertificates() {
  const ca = await issueCa();
  const name = ["payments.shop.svc"];
  const right = await issue({ issuer: ca, dns: name, toDays: 90 });
  const renewed = await issue({ issuer: ca, dns: name, toDays: 120 });
  const other = await issue({ issuer: ca, dns: ["orders.shop.svc"], toDays: 90 });
  const expired = await issue({ issuer: ca, dns: name, fromDays: -90, toDays: -1 });
  return writeFiles({
    "ca.pem": ca.cert,
    "right.pem": bundle(right, ca),
    "right.key": right.key,
    "renewed.pem": bundle(renewed, ca),
    "renewed.key": renewed.key,
    "other.pem": bundle(other, ca),
    "other.key": other.key,
    "expired.pem": bundle(expired, ca),
    "expired.key": expired.key,
  });
}
