/** Who the agent is, and where it runs. */
export interface Identity {
  readonly version: string;
  readonly node: string;
  readonly pod?: string;
  /** What the offsets of jobs are made of: the pod's UID, else its name, else the host's. */
  readonly seed: string;
  /** From the downward API; absent = the only global address of the interfaces. */
  readonly podAddress?: string;
}

/** The identity that the downward API gives in POD_NAME, POD_UID and POD_IP. */
export function identityFrom(
  environment: Readonly<Record<string, string | undefined>>,
  build: Pick<Identity, "version" | "node">,
): Identity {
  const pod = environment["POD_NAME"] ?? environment["HOSTNAME"];
  const podAddress = environment["POD_IP"];
  return {
    ...build,
    seed: environment["POD_UID"] ?? pod ?? "grpc-doctor",
    ...(pod === undefined ? {} : { pod }),
    ...(podAddress === undefined ? {} : { podAddress }),
  };
}
