import type { OptionName, Options } from "./options.ts";

/** The agent's container, by whose name it is known again. */
export const AGENT = "grpc-doctor";

/** Ports of the agent: `/metrics`, and the admin port on loopback. */
export const AGENT_PORTS = { metrics: 19464, admin: 19465 } as const;

/** What is injected: everything that options, annotations and the pod itself decide. */
export interface Injection {
  readonly image: string;
  /** Native: an init container that stays (Kubernetes 1.29); classic: one container more. */
  readonly mode: "native" | "classic";
  readonly ports: readonly number[];
  /** What the annotations say of the server; absent: its own bytes decide. */
  readonly options: Options;
  /** The pod's requests are its limits, and must stay so. */
  readonly isGuaranteed: boolean;
  /** Every container has a limit of CPU: a quota of the namespace may refuse a pod of which one has none. */
  readonly isCpuLimited: boolean;
}

/** What of a pod an injection adds, as plain values. */
export interface Sidecar {
  readonly container: Readonly<Record<string, unknown>>;
  readonly volumes: readonly { readonly name: string }[];
}

/** Volumes that are missing must not keep the pod from starting: the agent says what it lacks. */
export const MOUNTS = [
  {
    option: "config-map",
    name: "grpc-doctor-config",
    path: "/etc/grpc-doctor",
    source: (name: string) => ({ configMap: { name, optional: true } }),
  },
  {
    option: "ca-secret",
    name: "grpc-doctor-ca",
    path: "/etc/grpc-doctor-ca",
    source: (secretName: string) => ({ secret: { secretName, optional: true } }),
  },
  {
    option: "client-cert-secret",
    name: "grpc-doctor-client-cert",
    path: "/etc/grpc-doctor-client-cert",
    source: (secretName: string) => ({ secret: { secretName, optional: true } }),
  },
] as const;

export const VOLUMES: readonly string[] = MOUNTS.map(({ name }) => name);

const fromPod = (name: string, fieldPath: string) => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

/** Satisfies *restricted* by itself, whatever the pod says. */
const SECURITY = {
  runAsNonRoot: true,
  runAsUser: 65532,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/** As measured (docs/performance.md): what an idle agent holds, and twice that. */
const BURSTABLE = { requests: { cpu: "10m", memory: "80Mi" }, limits: { memory: "160Mi" } };
const CPU_LIMITED = { ...BURSTABLE, limits: { cpu: "200m", ...BURSTABLE.limits } };
const EQUAL = { cpu: "50m", memory: "160Mi" };

/** The container and its volumes. No probe: a sick agent must not take its pod down. */
export function sidecarFrom(injection: Injection): Sidecar {
  const mounts = MOUNTS.flatMap(({ option, name, path, source }) => {
    const given = injection.options[option];
    return given === undefined ? [] : [{ name, path, volume: { name, ...source(given) } }];
  });
  return {
    container: {
      name: AGENT,
      image: injection.image,
      imagePullPolicy: "IfNotPresent",
      ...(injection.mode === "native" ? { restartPolicy: "Always" } : {}),
      args: argsOf(injection),
      ports: [{ name: AGENT, containerPort: AGENT_PORTS.metrics }],
      env: [
        fromPod("POD_NAME", "metadata.name"),
        fromPod("POD_UID", "metadata.uid"),
        fromPod("POD_IP", "status.podIP"),
      ],
      resources: resourcesFrom(injection),
      securityContext: SECURITY,
      ...(mounts.length === 0
        ? {}
        : {
            volumeMounts: mounts.map(({ name, path }) => ({
              name,
              mountPath: path,
              readOnly: true,
            })),
          }),
    },
    volumes: mounts.map(({ volume }) => volume),
  };
}

function resourcesFrom({ isGuaranteed, isCpuLimited }: Injection): object {
  if (isGuaranteed) return { requests: EQUAL, limits: EQUAL };
  return isCpuLimited ? CPU_LIMITED : BURSTABLE;
}

/** Options as words of the command line, in order; `$` is what the option says. */
export const FLAGS: readonly {
  readonly option: OptionName;
  readonly saying?: string;
  readonly words: readonly string[];
}[] = [
  { option: "authority", words: ["--authority", "$"] },
  { option: "tls", saying: "true", words: ["--tls"] },
  { option: "tls", saying: "false", words: ["--plaintext"] },
  { option: "ca-secret", words: ["--cacert", "/etc/grpc-doctor-ca/ca.crt"] },
  {
    option: "client-cert-secret",
    words: [
      "--cert",
      "/etc/grpc-doctor-client-cert/tls.crt",
      "--key",
      "/etc/grpc-doctor-client-cert/tls.key",
    ],
  },
];

/** In place of all flags, where there is a ConfigMap. */
export const WITH_CONFIG = ["run", "--config", "/etc/grpc-doctor/config.yaml"];

function argsOf({ ports, options }: Injection): readonly string[] {
  if (options["config-map"] !== undefined) return WITH_CONFIG;
  const flags = FLAGS.flatMap(({ option, saying, words }) => {
    const said = options[option];
    if (said === undefined || (saying !== undefined && saying !== said)) return [];
    return words.map((word) => (word === "$" ? said : word));
  });
  return ["run", ...ports.flatMap((port) => ["--target", `localhost:${port}`]), ...flags];
}
