import { ADMIN_FLAGS } from "./admin-flags.ts";
import type { Command } from "./command.ts";
import { CONFIG_FLAG, POD_CONFIG } from "./config-flag.ts";
import { CONNECTION_FLAGS } from "./connection-flags.ts";
import type { Flag } from "./flag.ts";
import { HEALTH_FLAGS } from "./health-flags.ts";
import { listenFlags } from "./listen-flag.ts";

const JSON_OUTPUT: Flag = {
  name: "output",
  letter: "o",
  value: "FORMAT",
  says: "text or json",
  default: "text",
};

const PROTOSET: Flag = {
  name: "protoset",
  value: "FILE",
  says: "a FileDescriptorSet instead of reflection",
};
const FAIL_ON: Flag = {
  name: "fail-on",
  value: "SEVERITY",
  says: "exits 1 for a finding of this severity or above: info, warning, critical, or never",
  default: "critical",
};

/** What is expected of the servers that `run --target` watches. */
const RUN_FLAGS: readonly Flag[] = [
  { name: "tls", says: "expects TLS; without --cacert no certificate is verified" },
  ...CONNECTION_FLAGS.filter(({ name }) =>
    ["plaintext", "cacert", "cert", "key", "authority"].includes(name),
  ),
];

/** Every command, in the order of help. */
export const COMMANDS: readonly Command[] = [
  {
    name: "run",
    summary: "the daemon: watches, judges and tells until SIGTERM",
    details: [
      "Either a configuration file, or addresses: of those nothing is expected but what the flags say, and nobody is accused of a setting that nobody told us.",
      "SIGHUP, a change of the file, and POST /-/reload read the configuration again.",
    ],
    positionals: [],
    flags: [
      CONFIG_FLAG,
      {
        name: "target",
        letter: "t",
        value: "ADDR",
        isRepeated: true,
        says: "a server to watch, without a file",
      },
      ...RUN_FLAGS,
      ...listenFlags("the file's", "the file's"),
      {
        name: "log-level",
        value: "LEVEL",
        says: "debug, info, warn or error, instead of the file's",
      },
      { name: "log-format", value: "FORMAT", says: "json or text, instead of the file's" },
    ],
    examples: [
      "grpc-doctor run --target localhost:50051",
      "grpc-doctor run --config grpc-doctor.yaml",
    ],
    load: () => import("./commands/run.ts"),
  },
  {
    name: "check",
    summary: "looks once, for a few seconds, and reports as a doctor would",
    details: [
      "Examined, well, found (with evidence and remedy), suspected (what needs a longer look), and what cannot be seen here and how to switch it on.",
      "Of a name with several addresses up to 16 are looked at, one after the other; what is sick is stayed at. The report says at how many of how many.",
      "--save writes what was seen to a file; --from judges such a file, on any machine.",
      "Exits 1 for what was found, or is suspected, at or above --fail-on, and for a target that could not be examined: what nobody saw is not fine.",
    ],
    positionals: ["[ADDR]"],
    flags: [
      CONFIG_FLAG,
      { name: "for", value: "DURATION", says: "how long to look", default: "5s" },
      JSON_OUTPUT,
      FAIL_ON,
      {
        name: "save",
        value: "FILE",
        says: "writes the snapshot; - to stdout, and the report to stderr",
      },
      { name: "from", value: "FILE", says: "judges a saved snapshot instead of looking" },
      ...CONNECTION_FLAGS.filter(({ name }) => name !== "max-time"),
    ],
    goFlags: true,
    examples: [
      "grpc-doctor check localhost:50051",
      "grpc-doctor check --config grpc-doctor.yaml --fail-on warning",
    ],
    load: () => import("./commands/check.ts"),
  },
  {
    name: "probe",
    summary: "runs one configured probe now and shows every phase of it",
    details: ["Exits 1 when the probe fails, or could not be run."],
    positionals: ["NAME"],
    flags: [{ ...CONFIG_FLAG, default: POD_CONFIG }, JSON_OUTPUT],
    examples: ["grpc-doctor probe get-order --config grpc-doctor.yaml"],
    load: () => import("./commands/probe.ts"),
  },
  {
    name: "health",
    summary: "asks for health once: a stand-in for grpc_health_probe",
    details: [
      "Its flags but for -alts and -spiffe, and its exit codes: 0 SERVING, 1 wrong arguments, 2 no connection, 3 the RPC failed, 4 not SERVING.",
    ],
    positionals: ["[ADDR]"],
    flags: HEALTH_FLAGS,
    goFlags: true,
    usageExit: 1,
    examples: [
      "grpc-doctor health -addr=localhost:50051",
      "grpc-doctor health localhost:50051 -service order.OrderService",
    ],
    load: () => import("./commands/health.ts"),
  },
  {
    name: "channelz",
    summary: "prints the live tree of channelz",
    details: [
      "Servers and their sockets; channels, subchannels and their connections. Bounded: at most 200 sockets of a server are read.",
    ],
    positionals: ["ADDR"],
    flags: [JSON_OUTPUT, ...CONNECTION_FLAGS],
    goFlags: true,
    examples: ["grpc-doctor channelz localhost:50051 -plaintext"],
    load: () => import("./commands/channelz.ts"),
  },
  {
    name: "describe",
    summary: "lists the services, or shows the declaration of a symbol",
    details: ["By server reflection, or from a compiled FileDescriptorSet."],
    positionals: ["ADDR", "[SYMBOL]"],
    flags: [PROTOSET, ...CONNECTION_FLAGS],
    goFlags: true,
    examples: [
      "grpc-doctor describe localhost:50051",
      "grpc-doctor describe localhost:50051 order.OrderService/GetOrder",
    ],
    load: () => import("./commands/describe.ts"),
  },
  {
    name: "call",
    summary: "makes one call of any kind; when it fails, tells the diagnosis",
    details: [
      "The types come from server reflection, or from a compiled FileDescriptorSet. Exits 1 when the call fails.",
    ],
    positionals: ["ADDR", "METHOD"],
    flags: [
      {
        name: "d",
        letter: "d",
        value: "JSON",
        says: "the message; several for a client stream; @ reads standard input",
        default: "{}",
      },
      { name: "v", letter: "v", says: "tells headers, trailers and time on standard error" },
      PROTOSET,
      ...CONNECTION_FLAGS,
    ],
    goFlags: true,
    examples: [
      'grpc-doctor call -d \'{"id":"order-123"}\' localhost:50051 order.OrderService/GetOrder',
    ],
    load: () => import("./commands/call.ts"),
  },
  {
    name: "explain",
    summary: "prints the page of a code",
    details: ["What you see, why it happens, how to confirm, how to fix, and when it is wrong."],
    positionals: ["CODE"],
    flags: [],
    examples: ["grpc-doctor explain tls-san-mismatch"],
    load: () => import("./commands/explain.ts"),
  },
  {
    name: "codes",
    summary: "lists every code",
    details: [
      "The severity is the highest that a code reaches by default; a finding of it may be milder.",
    ],
    positionals: [],
    flags: [JSON_OUTPUT],
    examples: [],
    load: () => import("./commands/codes.ts"),
  },
  {
    name: "status",
    summary: "asks a running agent for its findings",
    details: [
      "Exits 1 when a finding is active at or above --fail-on, and 1 when no agent answers.",
    ],
    positionals: [],
    flags: [
      ...ADMIN_FLAGS,
      JSON_OUTPUT,
      {
        name: "fail-on",
        value: "SEVERITY",
        says: "info, warning, critical or never",
        default: "critical",
      },
    ],
    examples: ["kubectl exec orders-0 -c grpc-doctor -- grpc-doctor status"],
    load: () => import("./commands/status.ts"),
  },
  {
    name: "drain",
    summary: "tells a running agent that the app is going down on purpose",
    details: [
      "For an exec preStop hook. The agent lets go of the server, so that it can stop at once.",
    ],
    positionals: [],
    flags: [...ADMIN_FLAGS],
    examples: [],
    load: () => import("./commands/drain.ts"),
  },
  {
    name: "drill",
    summary: "sends one marked, false finding to prove the path to the pager",
    details: [
      "It goes through tracker, log, metric and webhook of a running agent, and resolves by itself.",
    ],
    positionals: ["CODE"],
    flags: [
      ...ADMIN_FLAGS,
      {
        name: "target",
        value: "NAME",
        says: "the target that it names",
        default: "the first app; for the agent's own codes the agent",
      },
    ],
    examples: ["grpc-doctor drill deadline-storm --target app"],
    load: () => import("./commands/drill.ts"),
  },
  {
    name: "inject",
    summary: "puts the agent into the pods of manifests",
    details: [
      "Reads Deployments, StatefulSets, DaemonSets, Jobs, CronJobs and Pods, also in Lists, and writes them with the agent as a sidecar: YAML as YAML, JSON as JSON. All else stays as it is. Done again, it changes nothing.",
      "What is left alone, and why, is a line on standard error: also for another kind that has a pod template, and for what has no kind.",
      "It finds the gRPC ports: a container's or a Service's port named grpc…, appProtocol grpc, the app's own grpc probes. Annotations of the pod template (grpc-doctor.io/…: inject, port, authority, tls, ca-secret, client-cert-secret, config-map, image, mode) win over the flags.",
      "Exits 2, and writes nothing, for faults in YAML or annotations.",
    ],
    positionals: ["FILE"],
    flags: [
      { name: "uninject", says: "takes the agent out again" },
      { name: "diff", says: "shows what would change, and nothing else" },
      {
        name: "mode",
        value: "MODE",
        says: "native: an init container that stays, Kubernetes 1.29; or classic",
        default: "native",
      },
      { name: "image", value: "IMAGE", says: "the agent's image", default: "of this version" },
    ],
    examples: [
      "kubectl get deployment orders -o yaml | grpc-doctor inject - | kubectl apply -f -",
      "grpc-doctor inject --diff orders.yaml",
    ],
    handsOn: true,
    load: () => import("./commands/inject.ts"),
  },
  {
    name: "config check",
    summary: "checks a configuration file and tells every fault at once",
    details: ["- reads standard input."],
    positionals: ["[FILE]"],
    flags: [CONFIG_FLAG],
    examples: ["grpc-doctor config check grpc-doctor.yaml"],
    load: () => import("./commands/config-check.ts"),
  },
  {
    name: "config print",
    summary: "prints the configuration in effect, with secrets masked",
    details: ["- reads standard input."],
    positionals: ["[FILE]"],
    flags: [
      CONFIG_FLAG,
      {
        name: "defaults",
        says: "every code with all its limits, also where nothing was configured",
      },
    ],
    examples: [],
    load: () => import("./commands/config-print.ts"),
  },
  {
    name: "config schema",
    summary: "prints the JSON Schema of the configuration file",
    details: [],
    positionals: [],
    flags: [],
    examples: ["grpc-doctor config schema > grpc-doctor.schema.json"],
    load: () => import("./commands/config-schema.ts"),
  },
  {
    name: "config init",
    summary: "writes a starting file from what reflection and health name",
    details: [
      "Probes are written as comments, marked WRITES? unless the method's declaration says NO_SIDE_EFFECTS.",
    ],
    positionals: ["[ADDR]"],
    flags: [
      { name: "target", letter: "t", value: "ADDR", says: "the server to ask; or as the argument" },
      ...CONNECTION_FLAGS,
    ],
    goFlags: true,
    examples: ["grpc-doctor config init --target localhost:50051 > grpc-doctor.yaml"],
    load: () => import("./commands/config-init.ts"),
  },
  {
    name: "demo",
    summary: "a sample order service and its faults, with the agent beside it",
    details: [
      "Each fault is real: a wrong certificate, a bind to loopback, handlers slower than their callers' deadlines, and nine more. On a terminal a key breaks the service, and heals it when pressed again; without one, --fault names the fault.",
    ],
    positionals: [],
    flags: [
      {
        name: "fault",
        value: "CODE",
        says: "breaks the service in this way, heals it after the alert, ends when that is resolved; exits 1 when the alert does not come within 180 s, or its end within 420 s",
      },
      ...listenFlags("127.0.0.1:19464", "127.0.0.1:19465"),
    ],
    examples: ["grpc-doctor demo", "grpc-doctor demo --fault deadline-storm"],
    load: () => import("./commands/demo.ts"),
  },
  {
    name: "read-settings",
    summary: "a process of the daemon's, which reads its configuration file",
    details: [],
    positionals: ["FILE"],
    flags: [],
    examples: [],
    isHidden: true,
    load: () => import("./commands/read-settings.ts"),
  },
  {
    name: "demo-actor",
    summary: "a process of the demo's world",
    details: [],
    positionals: [],
    flags: [],
    examples: [],
    isHidden: true,
    load: () => import("./commands/demo-actor.ts"),
  },
];
