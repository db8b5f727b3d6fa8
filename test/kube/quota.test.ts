import { beforeAll, describe, expect, it, vi } from "vitest";
import { inject } from "../../src/inject/inject.ts";
import { makeNamespace, type Namespace, type Pod } from "./namespace.ts";
import { anApp, podText, type Written } from "./pods.ts";

const PATIENCE = { timeout: 120_000, interval: 500 };
const WANTED = { "grpc-doctor.io/inject": "true" };
const DEFAULTS = { image: "registry.example/doctor:1", mode: "native" } as const;
const RESOURCES = { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "2Gi" } };
const limited = (resources: object): Written => ({ spec: { containers: [anApp({ resources })] } });

/** A quota of limits refuses a pod of which a container has none: the agent must not be that container. */
const QUOTA = {
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "all" },
  spec: {
    hard: {
      "requests.cpu": 50,
      "requests.memory": "50Gi",
      "limits.cpu": 50,
      "limits.memory": "50Gi",
    },
  },
};
const RANGE = {
  apiVersion: "v1",
  kind: "LimitRange",
  metadata: { name: "all" },
  spec: {
    limits: [{ type: "Container", default: RESOURCES.limits, defaultRequest: RESOURCES.requests }],
  },
};

let bare: Namespace;
let ranged: Namespace;
beforeAll(async () => {
  [bare, ranged] = await Promise.all([makeNamespace("quota"), makeNamespace("quota-ranged")]);
  await Promise.all(
    [bare, ranged].map((one) => one.must(["create", "-f", "-"], JSON.stringify(QUOTA))),
  );
  await ranged.must(["create", "-f", "-"], JSON.stringify(RANGE));
  await Promise.all([untilCounted(bare), untilCounted(ranged)]);
});

/** A quota is enforced once its controller has counted. */
async function untilCounted(namespace: Namespace): Promise<void> {
  await vi.waitFor(async () => {
    const { stdout } = await namespace.must([
      "get",
      "quota",
      "all",
      "-o",
      "jsonpath={.status.used}",
    ]);
    expect(stdout).toContain("limits.cpu");
  }, PATIENCE);
}

const limitOf = ({ spec }: Pod) =>
  spec.initContainers?.map(({ name, resources }) => [name, resources?.limits?.["cpu"]]);

describe("under a quota of limits", () => {
  const AGENT = [["grpc-doctor", "200m"]];

  it("a pod without limits is refused by itself", async () => {
    const words = ["create", "--dry-run=server", "-f", "-"];
    const { code, stderr } = await bare.run(words, podText());
    expect(code).toBe(1);
    expect(stderr).toContain("must specify limits.cpu for: app");
  });

  it("one that has them is admitted with what the policy puts in", async () => {
    const pod = await bare.tried<Pod>(podText({ ...limited(RESOURCES), labels: WANTED }));
    expect(limitOf(pod)).toEqual(AGENT);
  });

  it("and with what inject puts in", async () => {
    const { text } = inject(podText(limited(RESOURCES)), DEFAULTS);
    expect(limitOf(await bare.tried<Pod>(text))).toEqual(AGENT);
  });

  it("and so is one that has them of the namespace's LimitRange", async () => {
    const pod = await ranged.tried<Pod>(podText({ labels: WANTED }));
    expect(limitOf(pod)).toEqual(AGENT);
  });
});
