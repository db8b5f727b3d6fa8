import { listAt, mapAt, type Plain, textAt, textsOf } from "./plain.ts";

/** Names of ports that serve gRPC, but for gRPC-Web: it is HTTP/1.1 for browsers, and mostly a proxy's. */
export const GRPC_NAMES = { pattern: "^grpc", but: "^grpc-?web" };
const isGrpc = (name: string) =>
  new RegExp(GRPC_NAMES.pattern).test(name) && !new RegExp(GRPC_NAMES.but).test(name);

export const PROBES = ["startupProbe", "readinessProbe", "livenessProbe"];

/** What of a pod and of the Services that select it says where gRPC is served. */
export interface Surroundings {
  readonly labels: Readonly<Record<string, string>>;
  readonly namespace: string | undefined;
  readonly services: readonly Plain[];
}

/**
 * The ports where the app says that it serves gRPC: a container's port with a name that begins with
 * `grpc`, a Service's with such a name or with `appProtocol: grpc`, and those of its own `grpc:`
 * probes. Each once, in this order.
 */
export function grpcPorts(spec: Plain, around: Surroundings): readonly number[] {
  const containers = listAt(spec, "containers");
  const named = portsOf(containers).filter(({ name }) => isGrpc(name ?? ""));
  const probed = containers.flatMap((container) =>
    PROBES.flatMap((probe) => numberAt(container, probe, "grpc", "port")),
  );
  const all = [...named.map(({ port }) => port), ...servedPorts(containers, around), ...probed];
  return [...new Set(all)];
}

/** Every port that the containers name. */
export function portsOf(
  containers: readonly Plain[],
): readonly { readonly name: string | undefined; readonly port: number }[] {
  return containers
    .flatMap((container) => listAt(container, "ports"))
    .filter((port) => (textAt(port, "protocol") ?? "TCP") === "TCP")
    .flatMap((port) =>
      numberAt(port, "containerPort").map((number) => ({
        name: textAt(port, "name"),
        port: number,
      })),
    );
}

function servedPorts(containers: readonly Plain[], around: Surroundings): readonly number[] {
  const ports = around.services
    .filter((service) => selects(service, around))
    .flatMap((service) => listAt(service, "spec", "ports"))
    .filter(
      (port) =>
        textAt(port, "appProtocol") === "grpc" ||
        (textAt(port, "appProtocol") === undefined && isGrpc(textAt(port, "name") ?? "")),
    );
  return ports.flatMap((port) => {
    const target = textAt(port, "targetPort");
    if (target === undefined) return numberAt(port, "port");
    const byName = portsOf(containers).filter(({ name }) => name === target);
    return byName.length > 0 ? byName.map((one) => one.port) : numberAt(port, "targetPort");
  });
}

function selects(service: Plain, { labels, namespace }: Surroundings): boolean {
  const selector = Object.entries(textsOf(mapAt(service, "spec", "selector")));
  return (
    textAt(service, "metadata", "namespace") === namespace &&
    selector.length > 0 &&
    selector.every(([key, value]) => labels[key] === value)
  );
}

function numberAt(value: Plain, ...path: readonly string[]): readonly number[] {
  const text = textAt(value, ...path) ?? "";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? [port] : [];
}
