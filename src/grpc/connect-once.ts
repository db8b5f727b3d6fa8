import type { Reason } from "../model/reason.ts";
import type { Target } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import type { TlsFacts } from "../model/xray.ts";
import { createNameResolver } from "../net/resolve.ts";
import { CallError } from "./call-error.ts";
import { openConnection } from "./connection.ts";
import type { Connection } from "./transport.ts";
import { verificationReason } from "./verification.ts";

export interface ConnectOnceOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Refuses a certificate that a client would refuse, also where there is no metadata to show. */
  readonly isVerified: boolean;
  /** Refuses a server that speaks HTTP/2 and did not select it by ALPN, as clients in Go do. */
  readonly isAlpnNeeded?: boolean;
}

/** One connection for a command that ends with it. Throws `CallError`. */
export async function connectOnce(
  target: Target,
  options: ConnectOnceOptions,
): Promise<Connection> {
  const { clock, signal } = options;
  const resolver = createNameResolver({ clock });
  const connection = await openConnection(target, {
    clock,
    signal,
    resolver,
    evenIfUnverified: true,
  });
  const { tls } = connection.trail;
  const reason = tls && refusalOf(tls, options);
  if (reason === undefined) return connection;
  connection.close();
  throw new CallError({ phase: "tls", reason });
}

function refusalOf(
  tls: TlsFacts,
  { clock, isVerified, isAlpnNeeded = false }: ConnectOnceOptions,
): Reason | undefined {
  const reason = isVerified ? verificationReason(tls, clock.shown(clock.now())) : undefined;
  if (reason !== undefined) return reason;
  return isAlpnNeeded && tls.selectedAlpn !== "h2" ? "alpn_missing" : undefined;
}
