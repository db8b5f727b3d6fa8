import type { Flag } from "./flag.ts";

/** grpc_health_probe's flags but for -alts and -spiffe, in its words (grpc-ecosystem/grpc-health-probe). */
export const HEALTH_FLAGS: readonly Flag[] = [
  { name: "addr", value: "ADDR", says: "the server, host:port; or as the argument" },
  {
    name: "service",
    value: "NAME",
    says: "the service to ask for",
    default: "the server as a whole",
  },
  { name: "connect-timeout", value: "DURATION", says: "for the connection", default: "1s" },
  { name: "rpc-timeout", value: "DURATION", says: "for the call", default: "1s" },
  { name: "rpc-header", value: "'KEY: VALUE'", isRepeated: true, says: "a header of the call" },
  {
    name: "user-agent",
    value: "TEXT",
    says: "the user agent that is sent",
    default: "grpc-doctor",
  },
  { name: "gzip", says: "accepted; of no effect, as the request is too small to compress" },
  { name: "tls", says: "speaks TLS, and verifies the certificate" },
  { name: "tls-no-verify", says: "with -tls: verifies nothing" },
  {
    name: "tls-ca-cert",
    value: "FILE",
    says: "with -tls: trusts this bundle",
    default: "the system's",
  },
  { name: "tls-client-cert", value: "FILE", says: "with -tls: the client certificate" },
  { name: "tls-client-key", value: "FILE", says: "with -tls: its key" },
  {
    name: "tls-server-name",
    value: "NAME",
    says: "with -tls: the name that the certificate must cover",
  },
  { name: "version", says: "prints the version" },
  { name: "v", letter: "v", says: "tells how long the connection and the call took" },
];
