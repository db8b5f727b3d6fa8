import { beforeAll, expect, it } from "vitest";
import { makeNamespace, type Namespace, type Pod } from "./namespace.ts";
import { podText } from "./pods.ts";

const file = new URL("../../deploy/debug/container.yaml", import.meta.url).pathname;
const DEBUG = ["debug", "orders", "--image=grpc-doctor:1"];

let shop: Namespace;
beforeAll(async () => {
  shop = await makeNamespace("debug");
  await shop.must(["create", "-f", "-"], podText({ spec: { nodeName: "kwok" } }));
});

it("kubectl debug adds the agent to a pod that was never prepared, under restricted", async () => {
  const arguments_ = ["--arguments-only", "--", "check", "localhost:50051"];
  const profile = ["--profile=restricted", `--custom=${file}`];
  await shop.must([...DEBUG, "--container=doctor", ...profile, ...arguments_]);
  const { stdout } = await shop.must(["get", "pod", "orders", "-o", "json"]);
  const { spec } = JSON.parse(stdout) as Pod;
  expect(spec.ephemeralContainers).toEqual([
    {
      name: "doctor",
      image: "grpc-doctor:1",
      imagePullPolicy: "IfNotPresent",
      args: ["check", "localhost:50051"],
      env: ["metadata.name", "metadata.uid", "status.podIP"].map((fieldPath) => ({
        name: { "metadata.name": "POD_NAME", "metadata.uid": "POD_UID" }[fieldPath] ?? "POD_IP",
        valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } },
      })),
      resources: {},
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65_532,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
    },
  ]);
});

it("which kubectl's usual profile is not admitted to", async () => {
  const line = ["--container=refused", "--profile=general", "--", "check", "localhost:50051"];
  const said = await shop.run([...DEBUG, ...line]);
  expect(said.stderr).toContain('violates PodSecurity "restricted:latest"');
  expect(said.code).toBe(1);
});
