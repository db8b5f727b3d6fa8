import type { Remedies } from "./remedy.ts";

/** tonic (Rust): lines of `Server::builder()`, and of the generated service and client. Compiled against 0.14. */
export const tonic: Remedies = {
  "compression-unsupported": {
    say: "Let the generated service accept the encoding (`.accept_compressed(CompressionEncoding::Gzip)`, with tonic's feature `gzip`), or let the sender use identity",
  },
  "connection-churn": {
    say: "Find who ends the connections, the server or a proxy before it; an age that it gives them on purpose is some minutes long",
    server: ".max_connection_age(Duration::from_secs(300))",
  },
  "deadline-storm": {
    say: "Follow the slow part: the dependency that is named, else a profile of the handler. Shed load; a handler's future is dropped when its caller is gone, what it spawned is not",
  },
  "dns-stale": {
    say: "Give the servers a maximum connection age, so that clients reconnect and resolve again",
    server: ".max_connection_age(Duration::from_secs(300))",
  },
  "loopback-only": { say: "Listen on all addresses: `[::]:PORT`" },
  "message-too-large": {
    say: "Page or stream the data, or raise the receive limit of the generated service and client",
    server: ".max_decoding_message_size(16 << 20)",
    client: ".max_decoding_message_size(16 << 20)",
  },
  "metadata-too-large": {
    say: "Shrink the metadata (tokens, baggage), or raise the limit of whoever refuses it",
    server: ".http2_max_header_list_size(64 << 10)",
  },
  "stream-exhaustion": {
    say: "Raise the limit of concurrent streams, spread calls over more connections, or end idle streams",
    server: ".max_concurrent_streams(1000)",
  },
  "tls-cert-not-reloaded": {
    say: "Reload the certificate without a restart: serve with a rustls `ServerConfig` whose `ResolvesServerCert` reads the file again; or restart the pod on a change",
  },
};
