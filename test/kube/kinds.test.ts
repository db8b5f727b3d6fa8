import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inject } from "../../src/inject/inject.ts";
import { makeNamespace, type Namespace } from "./namespace.ts";
import { KINDS, workloadText } from "./pods.ts";

const deploy = new URL("../../deploy", import.meta.url).pathname;
const DEFAULTS = { image: "grpc-doctor:1", mode: "native" } as const;
const COMPONENTS = ["component", "component/mesh", "monitoring-plain/annotations"];

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

let shop: Namespace;
beforeAll(async () => {
  shop = await makeNamespace("kinds");
  cpSync(deploy, folder, { recursive: true });
  const labels = { "grpc-doctor.io/inject": "true" };
  const all = KINDS.map((kind) => workloadText(kind, { name: "component", labels }));
  writeFileSync(join(folder, "all.yaml"), all.join("---\n"));
  writeFileSync(
    join(folder, "kustomization.yaml"),
    `resources: [all.yaml]\ncomponents: [${COMPONENTS.join(", ")}]\n`,
  );
});

/** What the API server says of it, strictly read, and what the second of two applies says. */
async function tried(words: readonly string[], input?: string) {
  const strictly = ["apply", "--dry-run=server", "--validate=strict", ...words];
  const { stderr } = await shop.must(strictly, input);
  await shop.must(["apply", ...words], input);
  const { stdout } = await shop.must(["apply", ...words], input);
  return { warnings: stderr, second: stdout.split("\n").filter((line) => line !== "") };
}

const unchanged = (name: string) => [
  `cronjob.batch/${name} unchanged`,
  `daemonset.apps/${name} unchanged`,
  `deployment.apps/${name} unchanged`,
  `job.batch/${name} unchanged`,
  `pod/${name} unchanged`,
  `statefulset.apps/${name} unchanged`,
];

it("each kind is admitted with what inject puts in, and stays as it was applied", async () => {
  const texts = KINDS.map((kind) => workloadText(kind, { name: "by-inject" }));
  const { text, left } = inject(texts.join("---\n"), DEFAULTS);
  expect(left).toEqual([]);
  expect(text.match(/restartPolicy: Always/g)).toHaveLength(KINDS.length);
  const { warnings, second } = await tried(["-f", "-"], text);
  expect({ warnings, second: second.toSorted() }).toEqual({
    warnings: "",
    second: unchanged("by-inject"),
  });
});

it("and with what the components put in", async () => {
  const { stdout } = await shop.must(["kustomize", folder]);
  expect(stdout.match(/restartPolicy: Always/g)).toHaveLength(KINDS.length);
  expect(stdout.match(/prometheus.io\/scrape/g)).toHaveLength(KINDS.length);
  const { warnings, second } = await tried(["-k", folder]);
  expect({ warnings, second: second.toSorted() }).toEqual({
    warnings: "",
    second: unchanged("component"),
  });
});

it("where it would be warned of a container that is not restricted", async () => {
  const text = inject(workloadText("Deployment", { name: "root" }), DEFAULTS).text;
  const words = ["create", "--dry-run=server", "-f", "-"];
  const { stderr } = await shop.must(words, text.replace("runAsUser: 65532", "runAsUser: 0"));
  expect(stderr).toContain('would violate PodSecurity "restricted:latest"');
});
