import type { TestProject } from "vitest/node";
import { type Cluster, kubectl, part, startCluster } from "./cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly kubeconfig: string;
  }
}

const root = new URL("../..", import.meta.url).pathname;

/** The one cluster of all tests: controllers, a node `kwok`, the operator's kinds, and our policies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startCluster({ node: "kwok" });
  try {
    await must(cluster, ["create", "-f", part("crds.yaml")]);
    await must(cluster, ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
    await must(cluster, ["apply", "-k", `${root}deploy/admission`]);
    await untilActive(cluster);
  } catch (thrown) {
    await cluster.stop();
    throw thrown;
  }
  project.provide("kubeconfig", cluster.kubeconfig);
  return () => cluster.stop();
}

async function must({ kubeconfig }: Cluster, words: readonly string[], input?: string) {
  const said = await kubectl(kubeconfig, words, input);
  if (said.code !== 0) throw new Error(`kubectl ${words.join(" ")}: ${said.stderr}`);
  return said;
}

/** A policy takes effect a moment after it was made. */
async function untilActive(cluster: Cluster): Promise<void> {
  const pod = JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", labels: { "grpc-doctor.io/inject": "true" } },
    spec: {
      containers: [{ name: "a", image: "a", ports: [{ name: "grpc", containerPort: 1 }] }],
    },
  });
  const words = ["-n", "default", "create", "--dry-run=server", "-f", "-", "-o", "json"];
  for (let tries = 0; tries < 120; tries += 1) {
    const { stdout } = await must(cluster, words, pod);
    if (stdout.includes("grpc-doctor.io/status")) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error("the policy injects nothing");
}
