import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inject } from "../../src/inject/inject.ts";
import { makeNamespace, type Namespace } from "./namespace.ts";
import { deploymentText, podText } from "./pods.ts";

const root = new URL("../..", import.meta.url).pathname;
const DEFAULTS = { image: "grpc-doctor:1", mode: "native" } as const;
const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

let shop: Namespace;
beforeAll(async () => {
  shop = await makeNamespace("manifests");
});

/** Applies it twice and asks for the difference: what the second said, and whether there is any. */
async function appliedTwice(words: readonly string[], input?: string) {
  await shop.must(["apply", ...words], input);
  const [second, difference] = [
    await shop.must(["apply", ...words], input),
    await shop.run(["diff", ...words], input),
  ];
  return { second: second.stdout, difference: difference.stdout, code: difference.code };
}

/** What lies in deploy/ for kubectl: whole objects, and folders of kustomize's. */
const FOLDERS = ["deploy/admission", "deploy/monitoring"];
const FILES = readdirSync(join(root, "deploy/example"))
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => `deploy/example/${name}`);

describe("restricted and strict", () => {
  it.each(FOLDERS)("the API server takes all of %s", async (path) => {
    const said = await shop.must([
      "apply",
      "--dry-run=server",
      "--validate=strict",
      "-k",
      join(root, path),
    ]);
    expect(said.stderr).toBe("");
  });

  // With `enforce`, the pods of a Deployment are judged when they are made, and the template warns before.
  it.each(FILES)("and %s without a warning", async (path) => {
    const text = readFileSync(join(root, path), "utf8");
    const words = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
    expect((await shop.must(words, text)).stderr).toBe("");
  });

  it("what is injected would be refused if it lacked what restricted asks", async () => {
    const { text } = inject(podText(), DEFAULTS);
    const lacking = text.replace("runAsUser: 65532", "runAsUser: 0");
    expect(lacking).not.toBe(text);
    const words = ["create", "--dry-run=server", "-f", "-"];
    const [refused, taken] = [await shop.run(words, lacking), await shop.run(words, text)];
    expect(refused.stderr).toContain('violates PodSecurity "restricted:latest"');
    expect([refused.code, taken.code]).toEqual([1, 0]);
  });
});

describe("applied twice nothing differs", () => {
  it.each(FOLDERS)("in %s", async (path) => {
    const { second, difference, code } = await appliedTwice(["-k", join(root, path)]);
    expect(second.match(/.*(?<! unchanged)$/gm)?.filter((line) => line !== "")).toEqual([]);
    expect({ difference, code }).toEqual({ difference: "", code: 0 });
  });

  it("in what inject made", async () => {
    const { text } = inject(deploymentText({}, 0).replaceAll("orders", "twice"), DEFAULTS);
    expect(await appliedTwice(["-f", "-"], text)).toEqual({
      second: "deployment.apps/twice unchanged\n",
      difference: "",
      code: 0,
    });
  });

  it("in what the component made", async () => {
    const text = deploymentText({}, 0).replaceAll("orders", "component");
    writeFileSync(
      join(folder, "all.yaml"),
      text.replace(
        "name: component\n",
        'name: component\n  labels: { grpc-doctor.io/inject: "true" }\n',
      ),
    );
    const component = join(root, "deploy/component");
    writeFileSync(
      join(folder, "kustomization.yaml"),
      `resources: [all.yaml]\ncomponents: [${join("../..", component)}]\n`,
    );
    expect(await appliedTwice(["-k", folder])).toEqual({
      second: "deployment.apps/component unchanged\n",
      difference: "",
      code: 0,
    });
  });

  it("in a Deployment whose pods the policy changes", async () => {
    const labels = { "grpc-doctor.io/inject": "true" };
    const text = deploymentText({ labels }, 0).replaceAll("orders", "by-policy");
    expect(await appliedTwice(["-f", "-"], text)).toEqual({
      second: "deployment.apps/by-policy unchanged\n",
      difference: "",
      code: 0,
    });
  });
});
