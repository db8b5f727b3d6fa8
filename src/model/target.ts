/** What the address of a target points at, once parsed. */
export type Endpoint =
  | {
      readonly kind: "name";
      readonly host: string;
      readonly port: number;
      readonly nameServer?: string;
    }
  | { readonly kind: "ip"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/**
 * A metadata value of the configuration. A file is read again for every fresh connection, so that a
 * rotated token is used without a reload; `prefix` is put before its trimmed content.
 */
export type MetadataValue =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "file"; readonly path: string; readonly prefix: string };

export interface MetadataEntry {
  /** Lower case, as HTTP/2 has it. A key that ends in `-bin` carries base64. */
  readonly key: string;
  readonly value: MetadataValue;
}

/**
 * How the target is expected to be spoken to. `undefined` in its place states no expectation: the
 * sniff decides, and nothing is judged. Paths; their contents are read for every fresh connection.
 */
export type TlsExpectation =
  | { readonly mode: "plaintext" }
  | {
      readonly mode: "tls";
      /** The bundle that the clients trust; without it no issuer is judged. */
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
      /** The certificate file that the server reads, where it is mounted here too. */
      readonly servedFrom?: string;
    };

export type ExpectedHealth = "SERVING" | "NOT_SERVING" | "any";

/** `app`: the server in this pod. `upstream`: a server that the app calls. */
export type Role = "app" | "upstream";

/** What is watched: a configured gRPC target. */
export interface Target {
  /** Unique; the `target` label of every metric. `grpc-doctor` is reserved for the agent itself. */
  readonly name: string;
  readonly role: Role;
  /** As configured, for documents and log lines. */
  readonly address: string;
  readonly endpoint: Endpoint;
  /** `:authority`, server name, and the name that the certificate must cover; absent = not judged. */
  readonly authority?: string;
  readonly tls?: TlsExpectation;
  readonly metadata: readonly MetadataEntry[];
  readonly health: { readonly services: readonly string[]; readonly expect: ExpectedHealth };
  /** `undefined`: channelz is not asked. */
  readonly channelz?: { readonly everyMs: number };
  /** The app's own Prometheus endpoint. */
  readonly metrics?: string;
  /** A FileDescriptorSet; absent = server reflection. */
  readonly protoset?: string;
  /** How long the port may take to listen for the first time, and health to serve. */
  readonly startupMs: number;
}

/** The reserved target of findings about the agent itself. */
export const AGENT_TARGET = "grpc-doctor";

/** The host and port of an endpoint as `host:port`, brackets around IPv6; `unix:path`. */
export function endpointText(endpoint: Endpoint): string {
  return endpoint.kind === "unix"
    ? `unix:${endpoint.path}`
    : hostPort(endpoint.host, endpoint.port);
}

/** Joins an address and a port, with brackets around IPv6. */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The address of an `ip:port`, without brackets; `unix:path` stays as it is. */
export function hostOf(address: string): string {
  if (address.startsWith("unix:")) return address;
  const host = address.slice(0, address.lastIndexOf(":"));
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

/** True for 127.0.0.0/8 and ::1, of an address without port. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
