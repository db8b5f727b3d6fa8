import type { Socket } from "node:net";
import type { Reason } from "../model/reason.ts";
import type { Endpoint } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import type { DialAttempt } from "../model/xray.ts";
import { type DialAddress, type Dialled, dial } from "../net/dial.ts";
import { hangUp } from "../net/sniff.ts";
import { CallError } from "./call-error.ts";
import type { Trail } from "./trail.ts";

/** More addresses than this are not tried; a name may have a thousand. */
export const MOST_ADDRESSES = 4;

export type AddressAnswer =
  | { readonly outcome: "answered"; readonly addresses: readonly string[] }
  | {
      readonly outcome: "failed";
      readonly cause: "nxdomain" | "no-data" | "servfail" | "refused" | "timeout";
    };

/** Turns a name into addresses, as the pod's own resolver does. Never rejects. */
export interface AddressResolver {
  resolve(question: {
    readonly name: string;
    readonly nameServer?: string;
    readonly signal: AbortSignal;
  }): Promise<AddressAnswer>;
}

export interface ReachOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly resolver: AddressResolver;
  /** Every address is tried (at most 4), though one has connected: some may refuse. */
  readonly everyAddress?: boolean;
}

export interface Reached {
  readonly address: DialAddress;
  readonly socket: Socket;
  readonly connectMs: number;
}

/**
 * Resolves an endpoint and connects to it, one address after the other; the first that takes us is used.
 * Throws a `CallError` of phase `dns` or `tcp`; the trail keeps each attempt.
 */
export async function reach(
  endpoint: Endpoint,
  trail: Trail,
  options: ReachOptions,
): Promise<Reached> {
  const addresses = await resolve(endpoint, trail, options);
  trail.phase = "tcp";
  const attempts: DialAttempt[] = [];
  let used: Reached | undefined;
  for (const address of addresses) {
    const { attempt, socket } = await dial(address, options);
    if (used === undefined && socket !== undefined) {
      used = { address, socket, connectMs: attempt.connectMs ?? 0 };
      trail.dials = [...attempts, attempt];
      trail.phaseMs.tcp = used.connectMs;
      if (options.everyAddress !== true) break;
      continue;
    }
    if (socket !== undefined) hangUp(socket, options.clock);
    attempts.push(attempt);
  }
  const last = trail.dials.at(-1);
  trail.dials = used === undefined || last === undefined ? attempts : [...attempts, last];
  if (used === undefined) throw unreachable(attempts);
  return used;
}

async function resolve(
  endpoint: Endpoint,
  trail: Trail,
  { clock, signal, resolver }: ReachOptions,
): Promise<readonly DialAddress[]> {
  if (endpoint.kind === "unix") return [endpoint];
  const { host, port } = endpoint;
  if (endpoint.kind === "ip") return [{ kind: "ip", host, port }];
  const { nameServer } = endpoint;
  const started = clock.monotonicMs();
  const answer = await resolver.resolve({
    name: host,
    signal,
    ...(nameServer === undefined ? {} : { nameServer }),
  });
  signal.throwIfAborted();
  trail.phaseMs.dns = clock.monotonicMs() - started;
  if (answer.outcome === "failed") {
    throw new CallError({ phase: "dns", reason: REASON_BY_CAUSE[answer.cause] });
  }
  const addresses = answer.addresses.slice(0, MOST_ADDRESSES);
  if (addresses.length === 0) throw new CallError({ phase: "dns", reason: "no_data" });
  return addresses.map((address) => ({ kind: "ip", host: address, port }));
}

const REASON_BY_CAUSE = {
  nxdomain: "nxdomain",
  "no-data": "no_data",
  servfail: "servfail",
  refused: "dns_refused",
  timeout: "dns_timeout",
} as const;

/** In this order: what one address says outweighs what the next one says. */
const REASON_BY_OUTCOME: readonly (readonly [DialAttempt["outcome"], Reason])[] = [
  ["timeout", "connect_timeout"],
  ["refused", "refused"],
  ["no-route", "no_route"],
];

function unreachable(attempts: readonly Dialled["attempt"][]): CallError {
  const [outcome, reason] = REASON_BY_OUTCOME.find(([word]) =>
    attempts.some((attempt) => attempt.outcome === word),
  ) ?? ["error" as const, "socket_error" as const];
  const errno = attempts.find((attempt) => attempt.outcome === outcome)?.errno;
  return new CallError({ phase: "tcp", reason, ...(errno === undefined ? {} : { errno }) });
}
