import type { Flag } from "./flag.ts";

/** Those of grpcurl's connection flags that there are, in its words; `check`, `channelz`, `describe` and `call` share them. */
export const CONNECTION_FLAGS: readonly Flag[] = [
  {
    name: "plaintext",
    says: "speaks plaintext; without it, and without a TLS flag, the server's own bytes decide, and no certificate is verified",
  },
  { name: "insecure", says: "speaks TLS and verifies no certificate" },
  { name: "cacert", value: "FILE", says: "speaks TLS and trusts this bundle" },
  { name: "cert", value: "FILE", says: "the client certificate, for mutual TLS" },
  { name: "key", value: "FILE", says: "the client certificate's key" },
  {
    name: "authority",
    value: "NAME",
    says: "the :authority that is sent; the certificate is judged against it",
  },
  { name: "servername", value: "NAME", says: "as -authority, for TLS alone" },
  {
    name: "H",
    letter: "H",
    value: "'KEY: VALUE'",
    isRepeated: true,
    says: "a header of every call",
  },
  { name: "max-time", value: "SECONDS", says: "ends after this time", default: "10" },
];
