import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, inject as provided, vi } from "vitest";
import { parse, stringify } from "yaml";
import { twoFreePorts } from "../support/ports.ts";
import { type RunningProgram, startProgram } from "../support/process.ts";
import { MAIN } from "../support/running-agent.ts";
import { program } from "./cluster.ts";
import { makeNamespace, type Namespace, type Pod } from "./namespace.ts";
import { anApp, deploymentText, podText } from "./pods.ts";

const root = new URL("../..", import.meta.url).pathname;
const PATIENCE = { timeout: 120_000, interval: 500 };
const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
const running: RunningProgram[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.end("SIGTERM")));
  rmSync(folder, { recursive: true });
});

let shop: Namespace;
let pods: readonly Pod[];
/** The walk of docs/kubernetes.md, for an app that runs already. */
beforeAll(async () => {
  shop = await makeNamespace("rollout");
  await shop.must(["apply", "-f", "-"], deploymentText({}, 2));
  await shop.must(["rollout", "status", "deployment/orders", "--timeout=120s"]);
  await shop.must(["label", "namespace", "rollout", "grpc-doctor.io/inject=true"]);
  await untilLabelIsSeen();
  await shop.must(["rollout", "restart", "deployment"]);
  await shop.must(["rollout", "status", "deployment/orders", "--timeout=120s"]);
  pods = await vi.waitFor(twoPods, PATIENCE);
});

/** What admits pods reads a namespace's label a moment later. */
async function untilLabelIsSeen(): Promise<void> {
  await vi.waitFor(async () => {
    const { spec } = await shop.tried<Pod>(podText());
    if (spec.initContainers === undefined) throw new Error("a pod gets no agent");
  }, PATIENCE);
}

/** Those of before the restart may still be on their way out. */
async function twoPods(): Promise<readonly Pod[]> {
  const { stdout } = await shop.must(["get", "pods", "-l", "app=orders", "-o", "json"]);
  const { items } = JSON.parse(stdout) as { readonly items: readonly Pod[] };
  if (items.length !== 2) throw new Error(`there are ${items.length} pods`);
  return items;
}

it("a Deployment in a labelled namespace runs with the agent, nobody having written a line", async () => {
  const { stdout } = await shop.must(["get", "pods", "-l", "app=orders", "--no-headers"]);
  expect(stdout.match(/\d+\/\d+ +\w+/g)).toEqual(["2/2   Running", "2/2   Running"]);
  expect(pods.map(({ spec }) => spec.initContainers?.map(({ name }) => name))).toEqual([
    ["grpc-doctor"],
    ["grpc-doctor"],
  ]);
});

it("a Job completes beside the agent", async () => {
  const spec = { nodeName: "kwok", restartPolicy: "Never", containers: [anApp()] };
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate" },
    spec: { template: { spec } },
  };
  await shop.must(["create", "-f", "-"], JSON.stringify(job));
  await shop.must(["wait", "--for=condition=Complete", "--timeout=120s", "job/migrate"]);
  const { stdout } = await shop.must(["get", "pods", "-l", "job-name=migrate", "-o", "json"]);
  const { items } = JSON.parse(stdout) as { readonly items: readonly Pod[] };
  expect(items.map(({ spec: { initContainers } }) => initContainers?.[0]?.name)).toEqual([
    "grpc-doctor",
  ]);
});

/** The job of deploy/monitoring-plain, which here finds the API by a file and asks each second. */
function prometheusConfig(): string {
  const { scrape_configs } = parse(
    readFileSync(join(root, "deploy/monitoring-plain/scrape.yaml"), "utf8"),
  ) as { readonly scrape_configs: readonly object[] };
  const jobs = scrape_configs.map((job) => ({
    ...job,
    scrape_interval: "1s",
    scrape_timeout: "1s",
    kubernetes_sd_configs: [{ role: "pod", kubeconfig_file: provided("kubeconfig") }],
  }));
  return stringify({ scrape_configs: jobs });
}

it("Prometheus finds the agent's port in every pod through the API server, and scrapes it", async () => {
  // The containers of these pods do not run; an agent of this machine answers at each pod's address.
  const addresses = pods.map(({ status }) => status.podIP ?? "");
  for (const address of addresses) {
    const line = ["run", "--target", "localhost:50051", "--admin", `${address}:19465`];
    const listen = ["--listen", `${address}:19464`];
    const isUp = () =>
      fetch(`http://${address}:19464/-/healthy`).then(
        ({ ok }) => ok,
        () => false,
      );
    running.push(await startProgram([process.execPath, MAIN, ...line, ...listen], isUp));
  }
  const [port] = await twoFreePorts();
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(join(folder, "prometheus.yaml"), prometheusConfig());
  const prometheus = [
    // Debian's is built without discovery by an API server.
    program("prometheus"),
    `--config.file=${join(folder, "prometheus.yaml")}`,
    `--storage.tsdb.path=${join(folder, "tsdb")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  running.push(await startProgram(prometheus, isReady));
  const found = await vi.waitFor(async () => {
    const query = 'grpc_doctor_build_info{namespace="rollout"}';
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await response.json()) as {
      readonly data: {
        readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[];
      };
    };
    const labels = data.result.map(({ metric }) => `${metric["pod"]} ${metric["instance"]}`);
    expect(labels).toHaveLength(pods.length);
    return labels;
  }, PATIENCE);
  expect(found.toSorted()).toEqual(
    pods.map(({ metadata, status }) => `${metadata.name} ${status.podIP}:19464`).toSorted(),
  );
});
