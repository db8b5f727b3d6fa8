import { connect, isIPv6, type Socket } from "node:net";
import { hostPort } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import type { DialAttempt } from "../model/xray.ts";
import { abortable } from "./abortable.ts";

/** How long one TCP connect may take; a lost SYN is sent again after 1 s and 3 s. */
const CONNECT_TIMEOUT_MS = 3000;

/** One resolved address, or a unix socket. */
export type DialAddress =
  | { readonly kind: "ip"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface DialOptions {
  readonly clock: Clock;
  /** Its abort is a cancellation: the dial rejects with its reason, as nothing was learnt. */
  readonly signal: AbortSignal;
  /** Default 3 s. */
  readonly timeoutMs?: number;
}

export interface Dialled {
  readonly attempt: DialAttempt;
  /** Present exactly when the attempt connected; the caller closes it. */
  readonly socket?: Socket;
}

/**
 * Connects to ONE address, once: no second address, no retry, so that what is told is what was tried.
 * The socket is the very one that was timed. It keeps errors quiet until its user listens.
 */
export async function dial(address: DialAddress, options: DialOptions): Promise<Dialled> {
  const { clock, signal, timeoutMs = CONNECT_TIMEOUT_MS } = options;
  signal.throwIfAborted();
  const at = clock.now();
  const started = clock.monotonicMs();
  const socket = connect(
    address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port },
  );
  socket.setNoDelay(true);
  const about = { at, address: dialText(address), family: familyOf(address) } as const;
  const failed = await connected(socket, clock.deadline(timeoutMs, signal));
  if (failed === undefined) {
    const connectMs = clock.monotonicMs() - started;
    return { attempt: { ...about, outcome: "connected", connectMs }, socket };
  }
  socket.destroy();
  signal.throwIfAborted();
  return { attempt: { ...about, ...outcomeOf(failed.thrown, address) } };
}

/** `ip:port`, or `unix:path`. */
export function dialText(address: DialAddress): string {
  return address.kind === "unix" ? `unix:${address.path}` : hostPort(address.host, address.port);
}

function familyOf(address: DialAddress): DialAttempt["family"] {
  if (address.kind === "unix") return "unix";
  return isIPv6(address.host) ? "ipv6" : "ipv4";
}

/** Resolves with `undefined` once connected, else with what was thrown, or the abort's reason. */
async function connected(
  socket: Socket,
  deadline: AbortSignal,
): Promise<undefined | { readonly thrown: unknown }> {
  try {
    await abortable<void>(deadline, (resolve, reject) => {
      // It stays: an error between two users of the socket must not end the process.
      socket.on("error", reject);
      socket.once("connect", () => resolve());
    });
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

/** EACCES is a route of type `prohibit`, EINVAL one of type `blackhole`. Source: ip-route(8). */
const NO_ROUTE: ReadonlySet<string> = new Set(["EHOSTUNREACH", "ENETUNREACH", "EACCES", "EINVAL"]);

function outcomeOf(thrown: unknown, address: DialAddress): Pick<DialAttempt, "outcome" | "errno"> {
  const errno = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  // No answer in time: ours or the kernel's, it is the same silence.
  if (typeof errno !== "string") return { outcome: "timeout" };
  if (errno === "ETIMEDOUT") return { outcome: "timeout", errno };
  // A unix socket that is not there is a server that is not there.
  if (errno === "ECONNREFUSED" || errno === "ENOENT") return { outcome: "refused", errno };
  // EACCES is a prohibited route in TCP, but a file's permission for a unix socket.
  const isRoute = NO_ROUTE.has(errno) && address.kind === "ip";
  return { outcome: isRoute ? "no-route" : "error", errno };
}
