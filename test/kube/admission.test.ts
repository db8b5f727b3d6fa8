import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inject } from "../../src/inject/inject.ts";
import { makeNamespace, type Namespace, type Pod } from "./namespace.ts";
import { aLargePod, anApp, deploymentText, podText, type Written } from "./pods.ts";

const root = new URL("../..", import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
};
const DEFAULTS = { image: `ghcr.io/grpc-doctor/grpc-doctor:${version}`, mode: "native" } as const;
const WANTED = { "grpc-doctor.io/inject": "true" };

/** Where a pod gets the agent by its own label, and where by the namespace's. */
let shop: Namespace;
let labelled: Namespace;
beforeAll(async () => {
  [shop, labelled] = await Promise.all([
    makeNamespace("admission"),
    makeNamespace("admission-labelled", { labels: WANTED }),
  ]);
});

/** What the policy is to leave to the side: its own label, and what each pod gets a name for. */
function essence({ metadata, spec }: Pod) {
  const volumes = spec.volumes?.filter(({ name }) => !name.startsWith("kube-api-access-"));
  const bare = JSON.stringify({ ...spec, volumes: volumes ?? [] });
  return {
    annotations: metadata.annotations,
    spec: JSON.parse(bare.replaceAll(/kube-api-access-\w+/g, "kube-api-access")) as Pod["spec"],
  };
}

/** The same pod by the policy, and by the command. */
async function bothWays(written: Written) {
  const [admitted, injected] = await Promise.all([
    shop.tried<Pod>(podText({ ...written, labels: WANTED })),
    shop.tried<Pod>(inject(podText(written), DEFAULTS).text),
  ]);
  return { admitted: essence(admitted), injected: essence(injected) };
}

const names = (pod: Pod) =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name);
const warnings = (stderr: string) =>
  stderr
    .split("\n")
    .filter((line) => line !== "")
    .map((line) =>
      line.replace(
        /^Warning: Validation failed for ValidatingAdmissionPolicy '.*?' with binding '.*?': /,
        "",
      ),
    );

describe("three ways", () => {
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("make one and the same pod, in a namespace that enforces restricted", async () => {
    cpSync(join(root, "deploy/component"), join(folder, "component"), { recursive: true });
    writeFileSync(join(folder, "pod.yaml"), podText({ labels: WANTED }));
    writeFileSync(
      join(folder, "kustomization.yaml"),
      "resources: [pod.yaml]\ncomponents: [component, component/mesh]\n",
    );
    const { stdout } = await shop.must(["kustomize", folder]);
    const { admitted, injected } = await bothWays({});
    const component = essence(await shop.tried<Pod>(stdout));
    expect(names({ ...admitted, metadata: { name: "" }, status: {} })).toEqual([
      "grpc-doctor",
      "app",
    ]);
    expect(admitted).toEqual(injected);
    expect(component).toEqual(injected);
  });
});

describe("the policy does what inject does", () => {
  const annotated = (options: Readonly<Record<string, string>>): Written => ({
    annotations: Object.fromEntries(
      Object.entries(options).map(([name, text]) => [`grpc-doctor.io/${name}`, text]),
    ),
  });
  const app = (change: object): Written => ({ spec: { containers: [anApp(change)] } });
  const limits = (cpu: string) => ({ limits: { cpu, memory: "1Gi" } });

  it.each<readonly [string, Written]>([
    ["with several ports", annotated({ port: "50051, 8443" })],
    ["with a name", annotated({ authority: "orders.shop.svc" })],
    ["where TLS is expected", annotated({ tls: "true" })],
    ["where none is", annotated({ tls: "false" })],
    [
      "with secrets that are not there",
      annotated({ "ca-secret": "a", "client-cert-secret": "b.c" }),
    ],
    ["with a file", annotated({ "config-map": "orders" })],
    ["with another image", annotated({ image: "mirror.example:5000/a/doctor:2" })],
    ["as a classic container", annotated({ mode: "classic" })],
    ["first of several", { spec: { initContainers: [anApp({ name: "migrate", ports: [] })] } }],
    [
      "where ports are named",
      app({
        ports: [
          { name: "grpc", containerPort: 1 },
          { name: "grpc-web", containerPort: 2 },
          { name: "grpc-udp", containerPort: 3, protocol: "UDP" },
          { name: "grpcs", containerPort: 4 },
          { name: "http", containerPort: 5 },
        ],
      }),
    ],
    [
      "where only probes say it",
      app({
        ports: [],
        livenessProbe: { grpc: { port: 7 } },
        readinessProbe: { grpc: { port: 7 } },
      }),
    ],
    ["in a pod of the class Guaranteed", app({ resources: limits("2") })],
    [
      "in one that is nearly",
      app({ resources: { ...limits("2"), requests: { cpu: "1", memory: "1Gi" } } }),
    ],
    [
      "beside what meshes leave alone already",
      {
        annotations: {
          "traffic.sidecar.istio.io/excludeInboundPorts": "9090, 1-2",
          "config.linkerd.io/skip-inbound-ports": "19000-20000",
        },
      },
    ],
    ["in a pod that completes", { spec: { restartPolicy: "Never" } }],
    ["where each container has a limit of CPU", app({ resources: { limits: { cpu: "2" } } })],
    ["in a large pod", aLargePod()],
    ["without a token", { spec: { automountServiceAccountToken: false } }],
  ])("%s", async (_, written) => {
    const { admitted, injected } = await bothWays(written);
    expect(JSON.stringify(injected)).toContain("grpc-doctor.io/status");
    expect(admitted).toEqual(injected);
  });

  it("and leaves a pod of 800 ports as it was: it may cost no more", async () => {
    const words = ["create", "--dry-run=server", "-f", "-", "-o", "json"];
    const { code, stdout, stderr } = await shop.run(
      words,
      podText({ ...aLargePod(80), labels: WANTED }),
    );
    const { spec } = JSON.parse(stdout) as Pod;
    expect({ code, added: spec.initContainers }).toEqual({ code: 0, added: undefined });
    expect(stderr).not.toContain("grpc-doctor.io");
  });

  it("by the label of the namespace, unless the pod says no", async () => {
    const [by, but, elsewhere] = await Promise.all([
      labelled.tried<Pod>(podText()),
      labelled.tried<Pod>(podText({ labels: { "grpc-doctor.io/inject": "false" } })),
      shop.tried<Pod>(podText()),
    ]);
    expect([by, but, elsewhere].map(names)).toEqual([["grpc-doctor", "app"], ["app"], ["app"]]);
  });

  it("never twice", async () => {
    const once = inject(podText({ labels: WANTED }), DEFAULTS).text;
    expect(names(await labelled.tried<Pod>(once))).toEqual(["grpc-doctor", "app"]);
  });
});

describe("who gets no agent is told why, and starts without it", () => {
  const LEAD = "grpc-doctor is not injected: ";

  /** What applying this says, and what containers the pod of its template has. */
  async function applied(written: Written) {
    const deployment = deploymentText({ ...written, labels: { ...WANTED, ...written.labels } });
    const [said, pod] = await Promise.all([
      shop.must(["create", "--dry-run=server", "-f", "-"], deployment),
      shop.tried<Pod>(podText({ ...written, labels: { ...WANTED, ...written.labels } })),
    ]);
    return { warnings: warnings(said.stderr), names: names(pod) };
  }

  it.each<readonly [string, Written]>([
    ["a port that is none", { annotations: { "grpc-doctor.io/port": "99999" } }],
    ["a port that is a word", { annotations: { "grpc-doctor.io/port": "grpc" } }],
    ["an unknown mode", { annotations: { "grpc-doctor.io/mode": "sidecar" } }],
    ["a switch that is no switch", { annotations: { "grpc-doctor.io/tls": "yes" } }],
    ["an option that is none", { annotations: { "grpc-doctor.io/prot": "1" } }],
    ["a name that is none", { annotations: { "grpc-doctor.io/ca-secret": "No Such_Name" } }],
    ["an image that no runtime reads", { annotations: { "grpc-doctor.io/image": "a:b:c" } }],
    ["an authority with a flag in it", { annotations: { "grpc-doctor.io/authority": "a --b" } }],
    [
      "a secret without TLS",
      { annotations: { "grpc-doctor.io/tls": "false", "grpc-doctor.io/ca-secret": "a" } },
    ],
    [
      "a port beside a file",
      { annotations: { "grpc-doctor.io/port": "1", "grpc-doctor.io/config-map": "a" } },
    ],
  ])("for %s, in the words of inject", async (_, written) => {
    const done = await applied(written);
    expect(done.names).toEqual(["app"]);
    expect(() => inject(deploymentText(written), DEFAULTS)).toThrow(
      (done.warnings[0] ?? "no warning").slice(LEAD.length),
    );
    expect(done.warnings).toHaveLength(1);
  });

  it.each<readonly [string, Written]>([
    ["a pod without a gRPC port", { spec: { containers: [anApp({ ports: [] })] } }],
    [
      "an app with the agent's port",
      {
        spec: {
          containers: [
            anApp({ ports: [{ name: "grpc", containerPort: 1 }, { containerPort: 19_464 }] }),
          ],
        },
      },
    ],
    [
      "an agent that somebody put in by hand",
      { spec: { containers: [anApp(), anApp({ name: "grpc-doctor", ports: [] })] } },
    ],
  ])("for %s, in the words of inject", async (_, written) => {
    const done = await applied(written);
    const { left } = inject(deploymentText(written), DEFAULTS);
    expect(done.warnings).toEqual(
      left.map((line) => LEAD + line.replace("Deployment orders: ", "")),
    );
    expect(done.names).toEqual(
      inject(podText(written), DEFAULTS).text.match(/(?<=name: )(app|grpc-doctor)$/gm),
    );
  });

  it("all faults at once", async () => {
    const { warnings: said } = await applied({
      annotations: { "grpc-doctor.io/port": "0", "grpc-doctor.io/mode": "a" },
    });
    expect(said).toEqual([
      `${LEAD}grpc-doctor.io/port: found "0", allowed: ports from 1 to 65535, with commas between them; grpc-doctor.io/mode: found "a", allowed: native or classic`,
    ]);
  });

  it("in a Job and a CronJob that would never complete", async () => {
    const template = {
      metadata: { labels: WANTED, annotations: { "grpc-doctor.io/mode": "classic" } },
      spec: { restartPolicy: "Never", containers: [anApp()] },
    };
    const job = { apiVersion: "batch/v1", metadata: { name: "a" } };
    const manifests = [
      { ...job, kind: "Job", spec: { template } },
      {
        ...job,
        kind: "CronJob",
        spec: { schedule: "* * * * *", jobTemplate: { spec: { template } } },
      },
    ];
    const said = await Promise.all(
      manifests.map((one) =>
        shop.must(["create", "--dry-run=server", "-f", "-"], JSON.stringify(one)),
      ),
    );
    const because = "a classic container would keep it from completing: use the native mode";
    expect(said.map(({ stderr }) => warnings(stderr))).toEqual([
      [LEAD + because],
      [LEAD + because],
    ]);
  });

  it("for a label that is neither yes nor no", async () => {
    const { warnings: said } = await applied({ labels: { "grpc-doctor.io/inject": "True" } });
    expect(said).toEqual([
      `${LEAD}label grpc-doctor.io/inject: found "True", allowed: "true" or "false"`,
    ]);
  });

  it("for a label at the wrong place", async () => {
    const deployment = deploymentText().replace(
      "metadata:\n  name: orders\n",
      'metadata:\n  name: orders\n  labels: { grpc-doctor.io/inject: "true" }\n',
    );
    const { stderr } = await shop.must(["create", "--dry-run=server", "-f", "-"], deployment);
    expect(warnings(stderr)).toEqual([
      "grpc-doctor is not injected for the label grpc-doctor.io/inject of the workload itself: it belongs on the pod template, or on the namespace",
    ]);
  });

  it("and nobody else is told anything", async () => {
    const texts = [
      deploymentText(),
      deploymentText({ labels: WANTED }),
      deploymentText({ annotations: { "grpc-doctor.io/inject": "false" }, labels: WANTED }),
      inject(deploymentText(), DEFAULTS).text,
    ];
    const said = await Promise.all(
      texts.map((text) => shop.must(["create", "--dry-run=server", "-f", "-"], text)),
    );
    expect(said.map(({ stderr }) => stderr)).toEqual(["", "", "", ""]);
  });
});
