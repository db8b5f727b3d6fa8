import type { Remedies } from "./remedy.ts";

/** C-core: C++, Python, Ruby, PHP. An option is a channel argument, of the same name in each. */
export const cCore: Remedies = {
  "app-frozen": {
    say: "Find what blocks: raise the CPU limit if it is throttled, and take a stack dump (Python: `py-spy dump`, mostly the interpreter lock; C++: `gdb -p PID`)",
  },
  "connection-churn": {
    say: "Find who ends the connections, the server or a proxy before it; an age that it gives them on purpose is some minutes long",
    server: "grpc.max_connection_age_ms=300000, grpc.max_connection_age_grace_ms=60000",
  },
  "deadline-storm": {
    say: "Follow the slow part: the dependency that is named, else a profile of the handler. Shed load, and stop work once the call has ended (Python: `context.is_active()`, C++: `context->IsCancelled()`)",
  },
  "dns-stale": {
    say: "Give the servers a maximum connection age, so that clients reconnect and resolve again",
    server: "grpc.max_connection_age_ms=300000, grpc.max_connection_age_grace_ms=60000",
  },
  "error-burst": {
    say: 'Read the server\'s log for the method and code named; in Python, UNKNOWN with "Exception calling application" is an exception that nobody caught',
  },
  "in-flight-buildup": {
    say: "Look for handlers that never end: locks, an exhausted pool (Python: the `ThreadPoolExecutor` of the server), a call without deadline. A stack dump shows where they wait",
  },
  "loopback-only": { say: "Listen on all addresses: the port is added as `[::]:PORT`" },
  "message-too-large": {
    say: "Page or stream the data, or raise the receive limit on both sides, a channel argument",
    server: "grpc.max_receive_message_length=16777216",
    client: "grpc.max_receive_message_length=16777216",
  },
  "metadata-too-large": {
    say: "Shrink the metadata (tokens, baggage), or raise the limit of whoever refuses it, a channel argument",
    server: "grpc.max_metadata_size=65536",
    client: "grpc.max_metadata_size=65536",
  },
  "retry-storm": {
    say: "Add `retryThrottling` to the service config, lower `maxAttempts`, and do not stack application retries on gRPC's; the app's channels end them with the argument `grpc.enable_retries=0`",
  },
  "stream-exhaustion": {
    say: "Raise the limit of concurrent streams, a channel argument, spread calls over more connections, or end idle streams",
    server: "grpc.max_concurrent_streams=1000",
  },
  "tls-cert-not-reloaded": {
    say: "Reload the certificate without a restart: Python's `grpc.dynamic_ssl_server_credentials`, C++'s `FileWatcherCertificateProvider`; or restart the pod on a change",
  },
};
