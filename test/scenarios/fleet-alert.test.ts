import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { twoFreePorts } from "../support/ports.ts";
import { type RunningProgram, startProgram } from "../support/process.ts";

const root = new URL("../..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
const PODS = Array.from({ length: 40 }, (_, index) => `orders-${index}`);
const PATIENCE = { timeout: 60_000, interval: 250 };

/** What a webhook of Alertmanager's got, by the receiver's name. */
interface Notice {
  readonly receiver: string;
  readonly status: string;
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>> }[];
}

/** Of every pod. */
let severity = 3;
const notices: Notice[] = [];
let fleet: Server;
let prometheus: RunningProgram;
let alertmanager: RunningProgram;
let alertmanagerUrl: string;

/** Forty agents on one port, each at a path of its own, and the receiver of notices. */
function startFleet(): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      void text(request).then((body) => {
        notices.push(JSON.parse(body) as Notice);
        response.end();
      });
      return;
    }
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(`grpc_doctor_finding_severity{target="app",code="tls-cert-expired"} ${severity}
grpc_doctor_last_evaluation_timestamp_seconds ${Date.now() / 1000}
`);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number };
      resolve({ server, address: `127.0.0.1:${port}` });
    });
  });
}

const isReady = (url: string) => () =>
  fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

/** The example of deploy/, which waits less, and whose receivers are the test. */
function alertmanagerConfig(address: string): string {
  const example = readFileSync(join(root, "deploy/monitoring-plain/alertmanager.yaml"), "utf8");
  const { route, receivers, ...rest } = parse(example) as {
    readonly route: object;
    readonly receivers: readonly { readonly name: string }[];
  };
  const wait = { group_wait: "2s", group_interval: "2s" };
  const webhooks = receivers.map(({ name }) => ({
    name,
    webhook_configs: [{ url: `http://${address}/${name}` }],
  }));
  return stringify({ ...rest, route: { ...route, ...wait }, receivers: webhooks });
}

function prometheusConfig(address: string, alertmanagerPort: number): string {
  const jobs = PODS.map((pod) => ({
    job_name: pod,
    metrics_path: `/${pod}`,
    static_configs: [{ targets: [address], labels: { namespace: "shop", pod } }],
  }));
  return stringify({
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [join(folder, "rules.yaml")],
    alerting: {
      alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }],
    },
    scrape_configs: jobs,
  });
}

beforeAll(async () => {
  const [prometheusPort, alertmanagerPort] = await twoFreePorts();
  const { server, address } = await startFleet();
  fleet = server;
  alertmanagerUrl = `http://127.0.0.1:${alertmanagerPort}`;
  // An alert that outlasts a lost scrape would make the test last two minutes.
  const rules = readFileSync(join(root, "deploy/monitoring-plain/rules.yaml"), "utf8");
  writeFileSync(
    join(folder, "rules.yaml"),
    rules.replaceAll("keep_firing_for: 2m", "keep_firing_for: 3s"),
  );
  writeFileSync(join(folder, "alertmanager.yaml"), alertmanagerConfig(address));
  writeFileSync(join(folder, "prometheus.yaml"), prometheusConfig(address, alertmanagerPort));
  [alertmanager, prometheus] = await Promise.all([
    startProgram(
      [
        "prometheus-alertmanager",
        `--config.file=${join(folder, "alertmanager.yaml")}`,
        `--storage.path=${join(folder, "alerts")}`,
        `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
        "--cluster.listen-address=",
      ],
      isReady(alertmanagerUrl),
    ),
    startProgram(
      [
        "prometheus",
        `--config.file=${join(folder, "prometheus.yaml")}`,
        `--storage.tsdb.path=${join(folder, "tsdb")}`,
        `--web.listen-address=127.0.0.1:${prometheusPort}`,
      ],
      isReady(`http://127.0.0.1:${prometheusPort}`),
    ),
  ]);
});
afterAll(async () => {
  await Promise.all([prometheus.end("SIGKILL"), alertmanager.end("SIGKILL")]);
  fleet.closeAllConnections();
  fleet.close();
  rmSync(folder, { recursive: true });
});

/** All alerts that Alertmanager holds: name, state, and whether another one silences it. */
async function alerts(): Promise<readonly string[]> {
  const response = await fetch(`${alertmanagerUrl}/api/v2/alerts`);
  const all = (await response.json()) as readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
  }[];
  return all
    .map(
      ({ labels, status }) => `${labels["alertname"]} ${status.state} ${status.inhibitedBy.length}`,
    )
    .toSorted();
}

it("pages once for forty pods, without the warning, and says when it is over", async () => {
  severity = 3;
  notices.length = 0;
  const paged = await vi.waitUntil(() => notices[0], PATIENCE);
  expect({ receiver: paged.receiver, alerts: paged.alerts.map(({ labels }) => labels) }).toEqual({
    receiver: "pager",
    alerts: [
      {
        alertname: "GrpcDoctorCritical",
        severity: "critical",
        namespace: "shop",
        workload: "orders",
        target: "app",
        code: "tls-cert-expired",
      },
    ],
  });
  await vi.waitFor(
    async () =>
      expect(await alerts()).toEqual([
        "GrpcDoctorCritical active 0",
        "GrpcDoctorWarning suppressed 1",
      ]),
    PATIENCE,
  );
  severity = 0;
  const over = await vi.waitUntil(
    () => notices.find(({ status }) => status === "resolved"),
    PATIENCE,
  );
  expect(over.receiver).toBe("pager");
  expect(new Set(notices.map(({ receiver }) => receiver))).toEqual(new Set(["pager"]));
});
