import type { Socket } from "node:net";
import type { Reason } from "../model/reason.ts";
import type { Endpoint } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import type { DialAttempt, LookAt } from "../model/xray.ts";
import { type DialAddress, type Dialled, dial, dialText } from "../net/dial.ts";
import type { NameAnswer, NameResolver } from "../net/resolve.ts";
import { hangUp } from "../net/sniff.ts";
import { CallError, socketReason } from "./call-error.ts";
import type { Trail } from "./trail.ts";

/** More addresses than this are not tried at once; a name may have a thousand, and each has its turn. */
const MOST_ADDRESSES = 4;

export interface ReachOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly resolver: NameResolver;
  /** All of those whose turn it is are tried (at most 4), though one has connected: some may refuse. */
  readonly everyAddress?: boolean;
  /** Whose turn it is. Default: the first that takes us. */
  readonly lookAt?: LookAt;
}

export interface Reached {
  readonly address: DialAddress;
  readonly socket: Socket;
  readonly connectMs: number;
}

/**
 * Resolves an endpoint and connects to it: one address after the other until one takes us, or every one
 * at once where that was asked for; one of them that took us is used. Throws a `CallError` of
 * phase `dns` or `tcp`; the trail keeps each attempt, the used one last.
 */
export async function reach(
  endpoint: Endpoint,
  trail: Trail,
  options: ReachOptions,
): Promise<Reached> {
  const addresses = await resolve(endpoint, trail, options);
  trail.phase = "tcp";
  const dialled = await dialAll(addresses, options);
  const used = usedOf(dialled, options.lookAt);
  const others = dialled.filter((one) => one !== used);
  for (const { socket } of others) if (socket !== undefined) hangUp(socket, options.clock);
  trail.dials = [...others, ...(used === undefined ? [] : [used])].map(({ attempt }) => attempt);
  const missed = missedOf(dialled, options.lookAt);
  if (missed !== undefined) trail.insteadOf = missed;
  if (used?.socket === undefined) throw unreachable(trail);
  const { address, socket, attempt } = used;
  const { connectMs = 0 } = attempt;
  trail.phaseMs.tcp = connectMs;
  trail.used = address;
  return { address, socket, connectMs };
}

type Tried = Dialled & { readonly address: DialAddress };

function usedOf(dialled: readonly Tried[], lookAt: ReachOptions["lookAt"]): Tried | undefined {
  const taken = dialled.filter(({ socket }) => socket !== undefined);
  const last = taken.find(({ attempt }) => attempt.address === lookAt?.last);
  return lookAt?.isNext === true ? taken[0] : (last ?? taken[0]);
}

/** The address that was to be looked through again, where it was dialled in vain. */
function missedOf(dialled: readonly Tried[], lookAt: ReachOptions["lookAt"]): string | undefined {
  if (lookAt === undefined || lookAt.isNext) return undefined;
  const { last } = lookAt;
  const isMissed = ({ attempt, socket }: Tried) => attempt.address === last && !socket;
  return dialled.some(isMissed) ? last : undefined;
}

/** The addresses whose turn it is, in their order: from the one after the last on, or the same again. */
function inTurn(all: readonly DialAddress[], lookAt: LookAt | undefined): readonly DialAddress[] {
  if (lookAt === undefined) return all.slice(0, MOST_ADDRESSES);
  const { last, isNext, dialled } = lookAt;
  const at = all.findIndex((address) => dialText(address) === last);
  const from = (index: number) => [...all.slice(index), ...all.slice(0, index)];
  if (isNext) return from(at + 1).slice(0, MOST_ADDRESSES);
  const wasDialled = (address: DialAddress) => dialled.includes(dialText(address));
  const same = from(Math.max(at, 0)).filter(wasDialled);
  const others = all.filter((address) => !wasDialled(address));
  return [...same, ...others].slice(0, MOST_ADDRESSES);
}

async function dialAll(
  addresses: readonly DialAddress[],
  options: ReachOptions,
): Promise<readonly Tried[]> {
  const { clock, signal } = options;
  const tryOne = async (address: DialAddress): Promise<Tried> => ({
    address,
    ...(await dial(address, { clock, signal })),
  });
  if (options.everyAddress === true) return Promise.all(addresses.map(tryOne));
  const tried: Tried[] = [];
  for (const address of addresses) {
    const one = await tryOne(address);
    tried.push(one);
    if (one.socket !== undefined) break;
  }
  return tried;
}

async function resolve(
  endpoint: Endpoint,
  trail: Trail,
  { clock, signal, resolver, lookAt }: ReachOptions,
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
  if (answer.outcome !== "answered") {
    throw new CallError({ phase: "dns", reason: reasonOf(answer) });
  }
  const addresses = answer.dialOrder ?? answer.addresses;
  if (addresses.length === 0) throw new CallError({ phase: "dns", reason: "no_data" });
  if (answer.via !== "literal") trail.addressCount = addresses.length;
  return inTurn(
    addresses.map((address) => ({ kind: "ip", host: address, port })),
    lookAt,
  );
}

/** That we know no name server is a lack of ours. */
function reasonOf(answer: Exclude<NameAnswer, { readonly outcome: "answered" }>): Reason {
  return answer.outcome === "failed" ? REASON_BY_CAUSE[answer.cause] : "agent";
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

function unreachable(trail: Trail): CallError {
  const { dials: attempts } = trail;
  // A port that refuses says ECONNREFUSED: this one took us, and reset before we could notice.
  if (attempts.some(({ errno }) => errno === "ECONNRESET")) {
    trail.silence = "closed";
    return new CallError({ phase: "tcp", reason: "connection_reset", errno: "ECONNRESET" });
  }
  const [outcome, reason] = REASON_BY_OUTCOME.find(([word]) =>
    attempts.some((attempt) => attempt.outcome === word),
  ) ?? ["error" as const, undefined];
  const errno = attempts.find((attempt) => attempt.outcome === outcome)?.errno;
  const word = reason ?? socketReason(errno ?? "");
  return new CallError({ phase: "tcp", reason: word, ...(errno === undefined ? {} : { errno }) });
}
