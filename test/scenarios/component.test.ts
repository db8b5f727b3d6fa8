import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { inject } from "../../src/inject/inject.ts";

const root = new URL("../..", import.meta.url).pathname;
const cache = process.env["GRPC_DOCTOR_CACHE"] ?? join(homedir(), ".cache/grpc-doctor");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
};
const DEFAULTS = { image: `ghcr.io/grpc-doctor/grpc-doctor:${version}`, mode: "native" } as const;

const POD = `containers:
- { name: app, image: a, ports: [{ name: grpc, containerPort: 50051 }] }
initContainers:
- { name: migrate, image: b }
`;
const WANTED = 'labels: { grpc-doctor.io/inject: "true" }';
const indented = (text: string, by: number) => text.replaceAll(/^(?=.)/gm, " ".repeat(by));
const workload = (kind: string, version: string) => `apiVersion: ${version}
kind: ${kind}
metadata: { name: ${kind.toLowerCase()}, ${WANTED} }
spec:
  template:
    metadata: { labels: { app: a } }
    spec:
${indented(POD, 6)}`;

/** One of each kind that wants the agent, and one workload that does not. */
const MANIFESTS = [
  workload("Deployment", "apps/v1"),
  workload("StatefulSet", "apps/v1"),
  workload("DaemonSet", "apps/v1"),
  workload("Job", "batch/v1"),
  `apiVersion: batch/v1
kind: CronJob
metadata: { name: cronjob, ${WANTED} }
spec:
  jobTemplate:
    spec:
      template:
        spec:
${indented(POD, 10)}`,
  `apiVersion: v1
kind: Pod
metadata: { name: pod, ${WANTED} }
spec:
${indented(POD, 2)}`,
];
const OTHER = workload("Deployment", "apps/v1")
  .replace(`, ${WANTED}`, "")
  .replace("deployment", "redis");

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
beforeAll(() => {
  cpSync(join(root, "deploy/component"), join(folder, "component"), { recursive: true });
  cpSync(join(root, "deploy/monitoring-plain/annotations"), join(folder, "annotations"), {
    recursive: true,
  });
  writeFileSync(join(folder, "all.yaml"), [...MANIFESTS, OTHER].join("---\n"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What kustomize makes of the manifests with these components; `more` goes into the overlay. */
function kustomize(components: readonly string[], more = ""): Promise<string> {
  const overlay = `resources: [all.yaml]\ncomponents: [${components.join(", ")}]\n${more}`;
  writeFileSync(join(folder, "kustomization.yaml"), overlay);
  return new Promise((resolve, reject) => {
    const program = join(cache, "bin/kustomize");
    execFile(program, ["build", folder], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
}

/** The documents as values, by kind and name. */
function objects(text: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    parseAllDocuments(text).map((document) => {
      const { kind, metadata } = document.toJS() as { kind: string; metadata: { name: string } };
      return [`${kind} ${metadata.name}`, document.toJS() as unknown];
    }),
  );
}

it("makes of every kind what inject makes of it, and leaves alone who does not want it", async () => {
  const made = await kustomize(["component", "component/mesh"]);
  const injected = inject(MANIFESTS.join("---\n"), DEFAULTS);
  expect(injected.changed).toHaveLength(MANIFESTS.length);
  expect(objects(made)).toEqual({ ...objects(injected.text), ...objects(OTHER) });
});

it("makes what inject finds up to date", async () => {
  const made = await kustomize(["component", "component/mesh"]);
  const [injected] = [inject(made, DEFAULTS)];
  expect(injected.changed).toEqual(["Deployment redis"]);
});

it("leaves annotations of a mesh as they are without its part for meshes", async () => {
  const made = await kustomize(["component"]);
  expect(made).not.toContain("excludeInboundPorts");
  expect(made).toContain("grpc-doctor.io/status: injected");
});

it("sets annotations for scraping where the agent is, and nowhere else", async () => {
  const made = await kustomize(["component", "annotations"]);
  expect(made.match(/prometheus.io\/port: "19464"/g)).toHaveLength(MANIFESTS.length);
});

it("watches another port by a patch of the overlay's", async () => {
  const made = await kustomize(
    ["component"],
    `patches:
- target: { kind: Deployment, name: deployment }
  patch: |-
    - { op: replace, path: /spec/template/spec/initContainers/0/args/2, value: "localhost:8443" }
`,
  );
  expect(made.match(/localhost:\d+/g)?.toSorted()).toEqual([
    "localhost:50051",
    "localhost:50051",
    "localhost:50051",
    "localhost:50051",
    "localhost:50051",
    "localhost:8443",
  ]);
});
