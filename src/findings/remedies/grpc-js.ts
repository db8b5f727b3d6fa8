import type { Remedies } from "./remedy.ts";

/** grpc-js. Measured on 1.14. It has no option for the size of metadata. */
export const grpcJs: Remedies = {
  "app-frozen": {
    say: "Find the synchronous work that holds the event loop (`node --cpu-prof`, or the inspector after SIGUSR1), and raise the CPU limit if it is throttled",
  },
  "connection-churn": {
    say: "Find who ends the connections, the server or a proxy before it; an age that it gives them on purpose is some minutes long",
    server: '{ "grpc.max_connection_age_ms": 300_000, "grpc.max_connection_age_grace_ms": 60_000 }',
  },
  "deadline-storm": {
    say: "Follow the slow part: the dependency that is named, else a profile of the handler. Shed load, and stop work once `call.cancelled`",
  },
  "dns-stale": {
    say: "Give the servers a maximum connection age, so that clients reconnect and resolve again",
    server: '{ "grpc.max_connection_age_ms": 300_000, "grpc.max_connection_age_grace_ms": 60_000 }',
  },
  "error-burst": {
    say: "Read the server's log for the method and code named; UNKNOWN mostly is an error without a `code` that a handler passed on or threw",
  },
  "in-flight-buildup": {
    say: "Look for handlers that never end: a promise that never settles, an exhausted pool, a callback that is not called on every way, a call without deadline",
  },
  "loopback-only": {
    say: "Listen on all addresses: `server.bindAsync` of `[::]:PORT` (0.0.0.0 is IPv4 alone)",
  },
  "message-too-large": {
    say: "Page or stream the data, or raise the receive limit on both sides",
    server: '{ "grpc.max_receive_message_length": 16 << 20 }',
    client: '{ "grpc.max_receive_message_length": 16 << 20 }',
  },
  "retry-storm": {
    say: "Add `retryThrottling` to the service config, lower `maxAttempts`, and do not stack application retries on gRPC's; the app's channels end them with the option `grpc.enable_retries` 0",
  },
  "stream-exhaustion": {
    say: "Raise the limit of concurrent streams, spread calls over more connections, or end idle streams",
    server: '{ "grpc.max_concurrent_streams": 1000 }',
  },
};
