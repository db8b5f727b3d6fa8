import { networkInterfaces } from "node:os";
import { onlyAddress } from "../host/interfaces.ts";
import { present } from "../model/present.ts";

/** Who the agent is, and where it runs. */
export interface Identity {
  readonly version: string;
  readonly node: string;
  readonly pod?: string;
  /** What the offsets of jobs are made of: the pod's UID, else its name, else the host's. */
  readonly seed: string;
  /** From the downward API, else the only global address of a pod; absent = unknown, or no pod. */
  readonly podAddress?: string;
}

/**
 * The identity that the downward API gives in POD_NAME, POD_UID and POD_IP. Without POD_IP the only
 * global address is the pod's, where Kubernetes says that this is a pod; a server that a developer
 * runs on the loopback of a laptop is meant for nobody else.
 */
export function identityFrom(
  environment: Readonly<Record<string, string | undefined>>,
  build: Pick<Identity, "version" | "node">,
  interfaces: Parameters<typeof onlyAddress>[0] = networkInterfaces(),
): Identity {
  const pod = environment["POD_NAME"] ?? environment["HOSTNAME"];
  const isPod = environment["KUBERNETES_SERVICE_HOST"] !== undefined;
  const podAddress = environment["POD_IP"] ?? (isPod ? onlyAddress(interfaces) : undefined);
  return {
    ...build,
    seed: environment["POD_UID"] ?? pod ?? "grpc-doctor",
    ...present({ pod, podAddress }),
  };
}
