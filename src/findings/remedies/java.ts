import type { Remedies } from "./remedy.ts";

/** grpc-java. Measured on 1.85. */
export const java: Remedies = {
  "app-frozen": {
    say: "Find what blocks: raise the CPU limit if it is throttled, and take a thread dump (`jcmd PID Thread.print`). With `directExecutor()` a handler that blocks holds Netty's own thread",
  },
  "compression-unsupported": {
    say: "Register the codec with the server's `decompressorRegistry(DecompressorRegistry.getDefaultInstance().with(codec, true))`, or let the sender use identity",
  },
  "connection-churn": {
    say: "Find who ends the connections, the server or a proxy before it; an age that it gives them on purpose is some minutes long",
    server: ".maxConnectionAge(5, TimeUnit.MINUTES).maxConnectionAgeGrace(1, TimeUnit.MINUTES)",
  },
  "deadline-storm": {
    say: "Follow the slow part: the dependency that is named, else a profile of the handler. Shed load, and stop work once `Context.current().isCancelled()`",
  },
  "dns-stale": {
    say: "Give the servers a maximum connection age, so that clients reconnect and resolve again",
    server: ".maxConnectionAge(5, TimeUnit.MINUTES).maxConnectionAgeGrace(1, TimeUnit.MINUTES)",
  },
  "error-burst": {
    say: "Read the server's log for the method and code named; UNKNOWN mostly is a RuntimeException that nobody caught",
  },
  "in-flight-buildup": {
    say: "Look for handlers that never end: locks, an exhausted pool, a call without deadline, a `StreamObserver` that is never completed. A thread dump of the executor (`jcmd PID Thread.print`) shows where they wait",
  },
  "loopback-only": { say: "Listen on all addresses: `NettyServerBuilder.forPort(PORT)`" },
  "message-too-large": {
    say: "Page or stream the data, or raise the receive limit on both sides",
    server: ".maxInboundMessageSize(16 << 20)",
    client: ".maxInboundMessageSize(16 << 20)",
  },
  "metadata-too-large": {
    say: "Shrink the metadata (tokens, baggage), or raise the limit of whoever refuses it",
    server: ".maxInboundMetadataSize(64 << 10)",
    client: ".maxInboundMetadataSize(64 << 10)",
  },
  "retry-storm": {
    say: "Add `retryThrottling` to the service config, lower `maxAttempts`, and do not stack application retries on gRPC's; the app's channels end them with `.disableRetry()`",
  },
  "stream-exhaustion": {
    say: "Raise the limit of concurrent streams, spread calls over more connections, or end idle streams",
    server: ".maxConcurrentCallsPerConnection(1000)",
  },
  "tls-cert-not-reloaded": {
    say: "Reload the certificate without a restart: an `AdvancedTlsX509KeyManager` with `updateIdentityCredentials(certificate, key, 1, TimeUnit.MINUTES, executor)` as the server's key manager; or restart the pod on a change",
  },
};
