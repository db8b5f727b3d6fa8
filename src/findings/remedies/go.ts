import type { Remedies } from "./remedy.ts";

/** grpc-go. Measured on 1.85. */
export const go: Remedies = {
  "app-frozen": {
    say: "Find what blocks: raise the CPU limit if it is throttled, and take a goroutine dump (`kill -QUIT`, or `/debug/pprof/goroutine?debug=2`)",
  },
  "compression-unsupported": {
    say: 'Register the codec (`import _ "google.golang.org/grpc/encoding/gzip"`) or let the sender use identity',
  },
  "connection-churn": {
    say: "Find who ends the connections, the server or a proxy before it; an age that it gives them on purpose is some minutes long",
    server:
      "grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 5 * time.Minute, MaxConnectionAgeGrace: time.Minute})",
  },
  "deadline-storm": {
    say: "Follow the slow part: the dependency that is named, else a profile of the handler. Shed load, and hand the handler's `ctx` on to all that it waits for: it ends with the deadline",
  },
  "dns-stale": {
    say: "Give the servers a maximum connection age, so that clients reconnect and resolve again",
    server:
      "grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 5 * time.Minute, MaxConnectionAgeGrace: time.Minute})",
  },
  "error-burst": {
    say: "Read the server's log for the method and code named; UNKNOWN is what `status.Convert` makes of an error that has no status",
  },
  "in-flight-buildup": {
    say: "Look for handlers that never end: locks, an exhausted pool, a call without deadline. `/debug/pprof/goroutine?debug=2` shows where they wait",
  },
  "loopback-only": { say: 'Listen on all addresses: `net.Listen("tcp", ":PORT")`' },
  "message-too-large": {
    say: "Page or stream the data, or raise the receive limit on both sides",
    server: "grpc.MaxRecvMsgSize(16 << 20)",
    client: "grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16 << 20))",
  },
  "metadata-too-large": {
    say: "Shrink the metadata (tokens, baggage), or raise the limit of whoever refuses it",
    server: "grpc.MaxHeaderListSize(64 << 10)",
    client: "grpc.WithMaxHeaderListSize(64 << 10)",
  },
  "retry-storm": {
    say: "Add `retryThrottling` to the service config, lower `maxAttempts`, and do not stack application retries on gRPC's; the app's channels end them with `grpc.WithDisableRetry()`",
  },
  "stream-exhaustion": {
    say: "Raise the limit of concurrent streams, spread calls over more connections, or end idle streams",
    server: "grpc.MaxConcurrentStreams(1000)",
  },
  "tls-cert-not-reloaded": {
    say: "Reload the certificate without a restart (`advancedtls` has providers that watch files), or restart the pod on a change",
    server: "grpc.Creds(credentials.NewTLS(&tls.Config{GetCertificate: load}))",
  },
};
