import { inject as provided } from "vitest";
import { kubectl, type Said } from "./cluster.ts";

/** A pod as the API server gives it back. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
    readonly volumes?: readonly { readonly name: string }[];
  };
  readonly status: { readonly podIP?: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly securityContext?: object;
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}

/** A namespace that enforces the *restricted* Pod Security Standard. */
export interface Namespace {
  /** Runs kubectl in it; what it says is the caller's to judge. */
  run(words: readonly string[], input?: string): Promise<Said>;
  /** Runs it; rejects with what it says when that is no success. */
  must(words: readonly string[], input?: string): Promise<Said>;
  /** What the API server makes of an object, without keeping it. */
  tried<T>(manifest: object | string): Promise<T>;
}

/** Makes one in the cluster of all tests, or in another. */
export async function makeNamespace(
  name: string,
  options: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly kubeconfig?: string;
  } = {},
): Promise<Namespace> {
  const kubeconfig = options.kubeconfig ?? provided("kubeconfig");
  const run = (words: readonly string[], input?: string) =>
    kubectl(kubeconfig, ["-n", name, ...words], input);
  const must = async (words: readonly string[], input?: string) => {
    const said = await run(words, input);
    if (said.code !== 0) throw new Error(`kubectl ${words.join(" ")}: ${said.stderr}`);
    return said;
  };
  const labels = { ...options.labels, "pod-security.kubernetes.io/enforce": "restricted" };
  const manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
  await must(["create", "-f", "-"], JSON.stringify(manifest));
  await account(run);
  return {
    run,
    must,
    async tried<T>(object: object | string) {
      const text = typeof object === "string" ? object : JSON.stringify(object);
      const words = ["create", "--dry-run=server", "--validate=strict", "-f", "-", "-o", "json"];
      const { stdout } = await must(words, text);
      return JSON.parse(stdout) as T;
    },
  };
}

/** Without it no pod is admitted; a controller, where there is one, makes it in a moment. */
async function account(run: Namespace["run"]): Promise<void> {
  for (;;) {
    const made = await run(["create", "serviceaccount", "default"]);
    if (made.code === 0 || made.stderr.includes("already exists")) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
