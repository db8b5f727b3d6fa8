import { compressionAlgorithms, credentials } from "@grpc/grpc-js";
import type { Compression } from "../model/probe-spec.ts";
import { hostPort, type Target } from "../model/target.ts";
import { tlsNameOf } from "../net/certificate.ts";
import type { TlsMaterial } from "../net/handshake.ts";

const COMPRESSION = {
  identity: compressionAlgorithms.identity,
  gzip: compressionAlgorithms.gzip,
  deflate: compressionAlgorithms.deflate,
} as const;

/** How grpc-js is told to leave a probe's calls alone, and which name the target goes by. */
export function channelOptions({ authority, endpoint }: Target, compression: Compression) {
  const name = authority ?? (endpoint.kind === "name" ? endpoint.host : undefined);
  return {
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_http_proxy": 0,
    "grpc.enable_channelz": 0,
    "grpc.default_compression_algorithm": COMPRESSION[compression],
    ...(authority !== undefined && { "grpc.default_authority": authority }),
    ...(name !== undefined && { "grpc.ssl_target_name_override": tlsNameOf(name) }),
  };
}

/** Without `ca` no issuer is judged, without `authority` no name: what was not stated is not held. */
export function secureCredentials({ authority }: Target, { ca, cert, key }: TlsMaterial) {
  return credentials.createSsl(buffer(ca), buffer(key), buffer(cert), {
    rejectUnauthorized: ca !== undefined,
    ...(authority === undefined && { checkServerIdentity: () => undefined }),
  });
}

function buffer(text: string | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}

/** The target as grpc-js's resolvers take it. */
export function channelAddress({ endpoint }: Target): string {
  switch (endpoint.kind) {
    case "unix":
      return `unix:${endpoint.path}`;
    case "ip":
      return `${endpoint.host.includes(":") ? "ipv6" : "ipv4"}:${hostPort(endpoint.host, endpoint.port)}`;
    case "name":
      return `dns:${endpoint.nameServer === undefined ? "" : `//${endpoint.nameServer}/`}${hostPort(endpoint.host, endpoint.port)}`;
  }
}
