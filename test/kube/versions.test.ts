import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inject } from "../../src/inject/inject.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { makeNamespace, type Namespace, type Pod } from "./namespace.ts";
import { podText } from "./pods.ts";

const folder = new URL("../../deploy/admission", import.meta.url).pathname;
const KINDS = "validatingadmissionpolicies,validatingadmissionpolicybindings";
const DEFAULTS = { image: "grpc-doctor:1", mode: "native" } as const;

describe.each(["1.33", "1.34", "1.35"])("on Kubernetes %s", (version) => {
  let cluster: Cluster;
  let shop: Namespace;
  beforeAll(async () => {
    cluster = await startCluster({ version });
    shop = await makeNamespace("shop", { kubeconfig: cluster.kubeconfig });
  });
  afterAll(() => cluster.stop());

  it("the policy is told to be unknown; what is there of it after that refuses nothing, and goes", async () => {
    const said = await shop.run(["apply", "-k", folder]);
    expect(said.stderr).toContain('no matches for kind "MutatingAdmissionPolicy"');
    expect(said.code).toBe(1);
    const labels = { "grpc-doctor.io/inject": "true" };
    const { spec } = await shop.tried<Pod>(podText({ labels }));
    expect(spec.containers.map(({ name }) => name)).toEqual(["app"]);
    await shop.run(["delete", "--ignore-not-found", "-k", folder]);
    const left = await shop.must(["get", KINDS, "-o", "name"]);
    expect(left.stdout).toBe("");
  });

  it.each(["native", "classic"] as const)("what inject makes is admitted: %s", async (mode) => {
    const { text } = inject(podText(), { ...DEFAULTS, mode });
    const { spec } = await shop.tried<Pod>(text);
    const containers = [...(spec.initContainers ?? []), ...spec.containers];
    expect(containers.map(({ name }) => name).toSorted()).toEqual(["app", "grpc-doctor"]);
  });
});
