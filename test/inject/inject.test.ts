import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { inject, uninject } from "../../src/inject/inject.ts";

const DEFAULTS = { image: "grpc-doctor:1", mode: "native" } as const;

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly [key: string]: unknown;
}
interface Spec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly object[];
}
interface Template {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: Spec;
}

/** A Deployment whose container is `app`; lines of annotations, and of the container, in flow style. */
function deployment(app: string, annotations = "{}", more = ""): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop }
spec:
  template:
    metadata: { labels: { app: orders }, annotations: ${annotations} }
    spec:
      ${more}
      containers:
      - ${app}
`;
}

const GRPC = "{ name: app, ports: [{ name: grpc, containerPort: 50051 }] }";

function templatesOf(text: string): readonly Template[] {
  return parseAllDocuments(text).map((document) => {
    const { spec } = document.toJS() as { readonly spec: { readonly template: Template } };
    return spec.template;
  });
}

function injected(text: string) {
  const done = inject(text, DEFAULTS);
  const [template] = templatesOf(done.text);
  return { ...done, template, agent: template?.spec.initContainers?.[0] };
}

describe("leaves alone", () => {
  it.each([
    [
      "a pod without a gRPC port",
      deployment("{ name: app, ports: [{ name: http, containerPort: 80 }] }"),
      "it names no gRPC port: name one grpc…, or set the annotation grpc-doctor.io/port",
    ],
    [
      "a port of gRPC-Web",
      deployment("{ name: app, ports: [{ name: grpc-web, containerPort: 80 }] }"),
      "it names no gRPC port: name one grpc…, or set the annotation grpc-doctor.io/port",
    ],
    [
      "who does not want it",
      deployment(GRPC, '{ grpc-doctor.io/inject: "false" }'),
      "grpc-doctor.io/inject is false",
    ],
    [
      "a pod on the host's network",
      deployment(GRPC, "{}", "hostNetwork: true"),
      "on the host's network the agent's ports would be the node's",
    ],
    [
      "a pod for Windows",
      deployment(GRPC, "{}", "os: { name: windows }"),
      "the image is for Linux",
    ],
    [
      "an app that has the agent's port",
      deployment("{ name: app, ports: [{ name: grpc, containerPort: 19464 }] }"),
      "the app has port 19464, which is the agent's",
    ],
    [
      "an agent that somebody put in by hand",
      deployment(GRPC, "{}", "initContainers: [{ name: grpc-doctor }]"),
      "it has a container or a volume of this name that was not injected",
    ],
    [
      "a pod without containers",
      deployment(GRPC).replace(/ {6}containers:[^]*/, "      hostname: a\n"),
      "it has no containers",
    ],
    [
      "what stands behind an alias",
      deployment(GRPC, "{}", "volumes: &v []").replace(
        "containers:\n",
        "initContainers: *v\n      containers:\n",
      ),
      "what would be changed stands behind a YAML alias",
    ],
  ])("%s, to the byte", (_, text, because) => {
    expect(inject(text, DEFAULTS)).toEqual({
      text,
      left: [`Deployment shop/orders: ${because}`],
      changed: [],
    });
  });

  it.each([
    [
      "kinds without a pod",
      "apiVersion: v1\nkind: Service\n---\nkind: ConfigMap\ndata: { template: { spec: words } }\n",
    ],
    [
      "a Rollout whose pod is another's",
      "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: { workloadRef: { name: orders } }\n",
    ],
    ["text without an object", "# nothing\n---\n- a list\n---\njust words\n"],
    ["nothing", ""],
  ])("%s, and does not mention it", (_, text) => {
    expect(inject(text, DEFAULTS)).toEqual({ text, left: [], changed: [] });
  });

  const KINDS = "those are Pod, Deployment, StatefulSet, DaemonSet, Job, CronJob";

  it.each([
    [
      "a kind that it does not know, with a pod",
      deployment(GRPC)
        .replace("apps/v1", "argoproj.io/v1alpha1")
        .replace("kind: Deployment", "kind: Rollout"),
      `Rollout shop/orders: its kind (argoproj.io/v1alpha1) is not supported, ${KINDS}`,
    ],
    [
      "a kind of that name of somebody else's",
      deployment(GRPC).replace("apps/v1", "example.org/v1"),
      `Deployment shop/orders: its kind (example.org/v1) is not supported, ${KINDS}`,
    ],
    [
      "one with its pod somewhere else, in a List",
      `kind: List\nitems:\n- kind: Farm\n  metadata: { name: a }\n  spec: { groups: [{ template: { spec: { containers: [${GRPC}] } } }] }\n`,
      `Farm a: its kind (without apiVersion) is not supported, ${KINDS}`,
    ],
    ["what is no object", "# a\n---\nhello: world\n", "the object at line 3: it has no kind"],
  ])("%s, and says so", (_, text, left) => {
    expect(inject(text, DEFAULTS)).toEqual({ text, left: [left], changed: [] });
    expect(uninject(text)).toEqual({ text, left: [left], changed: [] });
  });

  it("a Job whose classic container would never end, and says why", () => {
    const job = deployment(GRPC, "{ grpc-doctor.io/mode: classic }")
      .replace("apps/v1", "batch/v1")
      .replace("kind: Deployment", "kind: Job");
    expect(inject(job, DEFAULTS)).toEqual({
      text: job,
      left: [
        "Job shop/orders: a classic container would keep it from completing: use the native mode",
      ],
      changed: [],
    });
    expect(inject(job.replace("classic", "native"), DEFAULTS).changed).toEqual(["Job shop/orders"]);
  });
});

describe("finds the gRPC ports", () => {
  const service = (port: string) => `apiVersion: v1
kind: Service
metadata: { name: orders, namespace: shop }
spec: { selector: { app: orders }, ports: [${port}] }
---
`;
  it.each([
    [
      "by their names",
      deployment(
        "{ name: app, ports: [{ name: grpc, containerPort: 1 }, { name: grpc-admin, containerPort: 2 }, { name: http, containerPort: 3 }] }",
      ),
      [1, 2],
    ],
    [
      "not by one of UDP",
      deployment(
        "{ name: app, ports: [{ name: grpc, containerPort: 1, protocol: UDP }, { name: grpcs, containerPort: 2 }] }",
      ),
      [2],
    ],
    [
      "by the app's own probes, once",
      deployment(
        "{ name: app, readinessProbe: { grpc: { port: 5 } }, livenessProbe: { grpc: { port: 5 } } }",
      ),
      [5],
    ],
    [
      "by a Service's appProtocol and a port's name",
      service("{ port: 80, targetPort: main, appProtocol: grpc }") +
        deployment("{ name: app, ports: [{ name: main, containerPort: 8443 }] }"),
      [8443],
    ],
    [
      "by a Service's name of the port and its number",
      service("{ port: 80, name: grpc-api, targetPort: 9000 }") + deployment("{ name: app }"),
      [9000],
    ],
    [
      "by a Service without a target port",
      service("{ port: 90, appProtocol: grpc }") + deployment("{ name: app }"),
      [90],
    ],
    ["by the annotation alone", deployment(GRPC, '{ grpc-doctor.io/port: "7, 8" }'), [7, 8]],
  ])("%s", (_, text, ports) => {
    const { text: after } = inject(text, DEFAULTS);
    const template = templatesOf(after).at(-1);
    expect(template?.spec.initContainers?.[0]?.args).toEqual([
      "run",
      ...ports.flatMap((port) => ["--target", `localhost:${port}`]),
    ]);
  });

  it.each([
    ["of another namespace", "namespace: shop", "namespace: bank"],
    ["that selects other pods", "selector: { app: orders }", "selector: { app: stock }"],
    ["without a selector", "selector: { app: orders }, ", ""],
    [
      "whose name says gRPC and whose protocol does not",
      "appProtocol: grpc",
      "name: grpc, appProtocol: http",
    ],
  ])("not by a Service %s", (_, from, to) => {
    const text =
      service("{ port: 90, appProtocol: grpc }").replace(from, to) + deployment("{ name: app }");
    expect(inject(text, DEFAULTS).changed).toEqual([]);
  });
});

describe("puts in", () => {
  it("a sidecar that satisfies restricted by itself, first in line, without a probe", () => {
    const { agent, template } = injected(
      deployment(GRPC, "{}", "initContainers: [{ name: migrate }]"),
    );
    expect(template?.spec.initContainers?.map(({ name }) => name)).toEqual([
      "grpc-doctor",
      "migrate",
    ]);
    expect(agent).toEqual({
      name: "grpc-doctor",
      image: "grpc-doctor:1",
      imagePullPolicy: "IfNotPresent",
      restartPolicy: "Always",
      args: ["run", "--target", "localhost:50051"],
      ports: [{ name: "grpc-doctor", containerPort: 19464 }],
      env: [
        { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "POD_UID", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
        { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      ],
      resources: { requests: { cpu: "10m", memory: "80Mi" }, limits: { memory: "160Mi" } },
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
    });
  });

  it("a classic container, last, which stays no longer than the app", () => {
    const text = inject(deployment(GRPC), { ...DEFAULTS, mode: "classic" }).text;
    const [template] = templatesOf(text);
    expect(template?.spec.containers.map(({ name }) => name)).toEqual(["app", "grpc-doctor"]);
    expect(template?.spec.containers[1]).not.toHaveProperty("restartPolicy");
    expect(template?.spec).not.toHaveProperty("initContainers");
  });

  it("what the annotations say", () => {
    const annotations = `{ grpc-doctor.io/authority: orders.shop.svc, grpc-doctor.io/tls: "true",
      grpc-doctor.io/ca-secret: roots, grpc-doctor.io/client-cert-secret: client, grpc-doctor.io/image: "mirror:5000/doctor:12" }`;
    const { agent, template } = injected(deployment(GRPC, annotations));
    expect(agent).toMatchObject({
      image: "mirror:5000/doctor:12",
      args: [
        "run",
        "--target",
        "localhost:50051",
        "--authority",
        "orders.shop.svc",
        "--tls",
        "--cacert",
        "/etc/grpc-doctor-ca/ca.crt",
        "--cert",
        "/etc/grpc-doctor-client-cert/tls.crt",
        "--key",
        "/etc/grpc-doctor-client-cert/tls.key",
      ],
      volumeMounts: [
        { name: "grpc-doctor-ca", mountPath: "/etc/grpc-doctor-ca", readOnly: true },
        {
          name: "grpc-doctor-client-cert",
          mountPath: "/etc/grpc-doctor-client-cert",
          readOnly: true,
        },
      ],
    });
    // A secret that is not there must not keep the pod from starting.
    expect(template?.spec.volumes).toEqual([
      { name: "grpc-doctor-ca", secret: { secretName: "roots", optional: true } },
      { name: "grpc-doctor-client-cert", secret: { secretName: "client", optional: true } },
    ]);
  });

  it("a ConfigMap's file in place of flags, also without a port", () => {
    const { agent, template } = injected(
      deployment("{ name: app }", "{ grpc-doctor.io/config-map: orders-doctor }"),
    );
    expect(agent?.args).toEqual(["run", "--config", "/etc/grpc-doctor/config.yaml"]);
    expect(template?.spec.volumes).toEqual([
      { name: "grpc-doctor-config", configMap: { name: "orders-doctor", optional: true } },
    ]);
  });

  it("its port into what meshes leave alone, beside what is there", () => {
    const { template } = injected(
      deployment(
        GRPC,
        '{ traffic.sidecar.istio.io/excludeInboundPorts: "9090", config.linkerd.io/skip-inbound-ports: "19000-20000" }',
      ),
    );
    expect(template?.metadata?.annotations).toEqual({
      "traffic.sidecar.istio.io/excludeInboundPorts": "9090,19464",
      "config.linkerd.io/skip-inbound-ports": "19000-20000",
      "grpc-doctor.io/status": "injected",
    });
  });

  it.each([
    ["a limit of CPU, where each container has one", "limits: { cpu: 2 }", { cpu: "200m" }],
    ["none, where one has none", "limits: { memory: 1Gi }", {}],
  ])("%s", (_what, given, limited) => {
    const { agent } = injected(
      deployment(GRPC.replace("name: app", `name: app, resources: { ${given} }`)),
    );
    expect(agent?.["resources"]).toEqual({
      requests: { cpu: "10m", memory: "80Mi" },
      limits: { ...limited, memory: "160Mi" },
    });
  });

  it("limits that are its requests, where a pod is Guaranteed by such", () => {
    const resources = "resources: { limits: { cpu: 2, memory: 1Gi } }";
    const { agent } = injected(deployment(GRPC.replace("name: app", `name: app, ${resources}`)));
    const equal = { cpu: "50m", memory: "160Mi" };
    expect(agent?.["resources"]).toEqual({ requests: equal, limits: equal });
  });

  it.each([
    ["Pod", "v1", (template: string) => template],
    ["StatefulSet", "apps/v1", (template: string) => `spec: { template: { ${template} } }`],
    ["DaemonSet", "apps/v1", (template: string) => `spec: { template: { ${template} } }`],
    ["Job", "batch/v1", (template: string) => `spec: { template: { ${template} } }`],
    [
      "CronJob",
      "batch/v1",
      (template: string) => `spec: { jobTemplate: { spec: { template: { ${template} } } } }`,
    ],
  ])("into a %s, also in a List", (kind, version, around) => {
    const spec = `{ containers: [${GRPC}] }`;
    const body = kind === "Pod" ? `spec: ${spec}` : around(`spec: ${spec}`);
    const text = `{ apiVersion: v1, kind: List, items: [{ apiVersion: ${version}, kind: ${kind}, metadata: { name: a }, ${body} }, { kind: Secret }] }\n`;
    const done = inject(text, DEFAULTS);
    expect(done.changed).toEqual([`${kind} a`]);
    expect(done.text.match(/name: grpc-doctor, image/g)).toHaveLength(1);
    expect(inject(done.text, DEFAULTS)).toEqual({ text: done.text, left: [], changed: [] });
  });
});

describe("changes as little as it can", () => {
  const LAID_OUT = `# The shop.
apiVersion: apps/v1
kind:   Deployment   # aligned
metadata: {name: orders,   labels: {a: b}}


spec:
  template:
    spec:
      # what runs
      containers:   # one
      - name: app
        ports: [{name: grpc,containerPort: 50051}]
        command: ["sh",   '-c', "on: yes"]
      volumes:

      - {name: v, configMap: {name: a, defaultMode: 0644, x: 12345678901234567890, y: no}}
---
kind:   Other
# the end
`;

  it("keeps every line that was there, in its place", () => {
    const { text } = inject(LAID_OUT, DEFAULTS);
    const lines = new Set(LAID_OUT.split("\n"));
    expect(text.split("\n").filter((line) => lines.has(line))).toEqual(LAID_OUT.split("\n"));
  });

  it("gives up the layout where it cannot be kept, and not a value", () => {
    const odd = LAID_OUT.replace(/^ {6}/gm, "          ");
    const { text } = inject(odd, DEFAULTS);
    const [before] = templatesOf(odd.split("---")[0] ?? "");
    const [after] = templatesOf(text.split("---")[0] ?? "");
    const { initContainers } = after?.spec ?? {};
    expect(after?.spec).toEqual({ ...before?.spec, initContainers });
    expect(inject(text, DEFAULTS).changed).toEqual([]);
  });

  it("does nothing when done again", () => {
    const { text } = inject(LAID_OUT, DEFAULTS);
    expect(inject(text, DEFAULTS)).toEqual({ text, left: [], changed: [] });
  });

  it("does nothing when only the order of keys was changed meanwhile", () => {
    const { text } = inject(deployment(GRPC), DEFAULTS);
    const [document] = parseAllDocuments(text);
    const sorted = document?.toString({ lineWidth: 0 }) ?? "";
    const moved = sorted.replace(
      /( +)(- name: grpc-doctor\n +)(image: .*)\n/,
      "$1- $3\n$1  name: grpc-doctor\n",
    );
    expect(moved).not.toBe(sorted);
    expect(inject(moved, DEFAULTS).changed).toEqual([]);
  });

  it("gives back what was there", () => {
    const { text } = inject(LAID_OUT, DEFAULTS);
    expect(uninject(text)).toEqual({ text: LAID_OUT, left: [], changed: ["Deployment orders"] });
  });

  it("brings an older agent up to date, also from one mode to the other", () => {
    const old = inject(deployment(GRPC), { image: "grpc-doctor:0", mode: "classic" }).text;
    const { text, changed } = inject(old, DEFAULTS);
    expect(changed).toEqual(["Deployment shop/orders"]);
    expect(text.match(/image: .*/g)).toEqual(["image: grpc-doctor:1"]);
    expect(templatesOf(text)[0]?.spec.containers.map(({ name }) => name)).toEqual(["app"]);
  });

  it("takes out nothing that it did not put in", () => {
    const own = deployment(
      GRPC,
      '{ traffic.sidecar.istio.io/excludeInboundPorts: "19464" }',
      "initContainers: [{ name: grpc-doctor }]",
    );
    expect(uninject(own)).toEqual({
      text: own,
      left: ["Deployment shop/orders: its container of this name was not injected"],
      changed: [],
    });
    expect(uninject(deployment(GRPC))).toMatchObject({ left: [], changed: [] });
  });
});

describe("tells what is wrong, where it stands", () => {
  it("all faults in annotations at once", () => {
    const text = `apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations:
    grpc-doctor.io/port: "99999"
    grpc-doctor.io/mode: sidecar
    grpc-doctor.io/ca-secret: "No Such_Name"
    grpc-doctor.io/prot: "1"
    other.io/port: anything
spec: { containers: [{ name: app }] }
`;
    expect(() => inject(text, DEFAULTS)).toThrow(
      `6:5: Pod a: grpc-doctor.io/port: found "99999", allowed: ports from 1 to 65535, with commas between them
7:5: Pod a: grpc-doctor.io/mode: found "sidecar", allowed: native or classic
8:5: Pod a: grpc-doctor.io/ca-secret: found "No Such_Name", allowed: the name of an object
9:5: Pod a: grpc-doctor.io/prot: found an unknown option, allowed: inject, port, authority, tls, ca-secret, client-cert-secret, config-map, image, mode`,
    );
  });

  it("values that are no texts for an API server, which has nothing else in annotations", () => {
    const annotations = "{ grpc-doctor.io/port: 50051, grpc-doctor.io/tls: true }";
    expect(() => inject(deployment(GRPC, annotations), DEFAULTS)).toThrow(
      `6:57: Deployment shop/orders: grpc-doctor.io/port: found 50051 without quotes, allowed: a text: "50051"
6:85: Deployment shop/orders: grpc-doctor.io/tls: found true without quotes, allowed: a text: "true"`,
    );
    const quoted = "{ grpc-doctor.io/port: '50051', grpc-doctor.io/authority: orders }";
    expect(inject(deployment(GRPC, quoted), DEFAULTS).changed).toEqual(["Deployment shop/orders"]);
  });

  it.each([
    [
      "a secret without TLS",
      '{ grpc-doctor.io/tls: "false", grpc-doctor.io/ca-secret: a }',
      'grpc-doctor.io/ca-secret: found a secret beside tls "false", allowed: one of the two',
    ],
    [
      "a port beside a file",
      '{ grpc-doctor.io/config-map: a, grpc-doctor.io/port: "1" }',
      "grpc-doctor.io/port: found an option beside config-map, allowed: it in the file of the ConfigMap",
    ],
  ])("%s", (_, annotations, said) => {
    expect(() => inject(deployment(GRPC, annotations), DEFAULTS)).toThrow(said);
  });

  it.each([
    ["a bracket that stays open", "kind: Pod\n---\na: [1\nb: 2\n", /^4:1: /],
    ["a key twice", "kind: Pod\nkind: Pod\n", /^2:1: Map keys must be unique/],
    ["a tab", "a:\n\tb: 1\n", /^2:1: /],
  ])("%s", (_, text, said) => {
    expect(() => inject(text, DEFAULTS)).toThrow(said);
  });

  it("and endless nesting is no more than a fault", () => {
    expect(() => inject("[".repeat(5000), DEFAULTS)).toThrow(/^1:\d+: .*$/);
  });
});
