import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { ManualClock } from "../support/clock.ts";
import { answers, type Handler } from "../support/faulty-server.ts";

/** A REAL HTTP/2 server that counts what it is asked, by the agent's clock. */
export interface CountingServer {
  readonly address: string;
  readonly counted: Counted;
  close(): Promise<void>;
}

export interface Counted {
  connections: number;
  pings: number;
  /** PINGs for which grpc-go, with its defaults, would hold a strike against their connection. */
  strikes: number;
  /** Calls, by path. */
  readonly calls: Record<string, number>;
}

/** Source: grpc-go internal/transport, defaultPingTimeout and the default EnforcementPolicy's MinTime. */
const IDLE_PING_MS = 2 * 3_600_000;
const LEAST_PING_MS = 5 * 60_000;
const UNIMPLEMENTED = 12;

/**
 * Answers these paths, and UNIMPLEMENTED to any other. While a call or a visit is under way, the clock
 * stands still: what is begun ends at the agent's moment. What stays open (a Watch, the connection that is
 * kept) does not hold it.
 */
export async function startCountingServer(
  clock: ManualClock,
  handlers: Readonly<Record<string, Handler>>,
): Promise<CountingServer> {
  const counted: Counted = { connections: 0, pings: 0, strikes: 0, calls: {} };
  const server = http2.createServer();
  server.on("session", (session) => {
    counted.connections += 1;
    const enforcement = createEnforcement(clock);
    session.on("ping", () => {
      counted.pings += 1;
      if (enforcement.isStrike()) counted.strikes += 1;
    });
    session.on("stream", (stream, headers) => {
      const path = String(headers[":path"]);
      counted.calls[path] = (counted.calls[path] ?? 0) + 1;
      enforcement.begins(stream);
      stream.on("error", () => undefined); // A reset by the client is no fault.
      (handlers[path] ?? answers.status(UNIMPLEMENTED))(stream, headers);
      if (!path.endsWith("/Watch")) void clock.during(() => closed(stream));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    counted,
    close: () => new Promise<void>((done) => server.close(() => done())),
  };
}

/**
 * When grpc-go holds a PING against a connection: sooner than two hours after the last one where no call is
 * open, sooner than five minutes where one is; not the first after it has sent something of a call.
 * Source: grpc-go internal/transport/http2_server.go, handlePing.
 */
function createEnforcement(clock: ManualClock) {
  let open = 0;
  let hasSent = false;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    begins(stream: http2.ServerHttp2Stream) {
      open += 1;
      hasSent = true;
      stream.once("close", () => {
        open -= 1;
      });
    },
    isStrike(): boolean {
      const nowMs = clock.monotonicMs();
      const sinceMs = nowMs - lastMs;
      lastMs = nowMs;
      const isForgiven = hasSent;
      hasSent = false;
      return !isForgiven && sinceMs < (open === 0 ? IDLE_PING_MS : LEAST_PING_MS);
    },
  };
}

function closed(stream: http2.ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once("close", () => resolve());
  });
}
