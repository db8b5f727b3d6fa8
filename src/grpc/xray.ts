import { present } from "../model/present.ts";
import type { Target } from "../model/target.ts";
import { type Clock, parseInstant } from "../model/time.ts";
import type { DialAttempt, RpcFacts, XrayReport } from "../model/xray.ts";
import { type DialAddress, dial } from "../net/dial.ts";
import { shakeHands } from "../net/handshake.ts";
import { hangUp } from "../net/sniff.ts";
import { CallError } from "./call-error.ts";
import { type OpenedConnection, type OpenOptions, openConnection } from "./connection.ts";
import { readCredentials } from "./credentials.ts";
import { newTrail, type Trail } from "./trail.ts";
import { verificationReason } from "./verification.ts";
import { verdictOf } from "./xray-verdict.ts";

/** Health's Check of the whole server: an empty request. Source: grpc/health/v1/health.proto. */
const PATH = "/grpc.health.v1.Health/Check";

/** Longer than the 3 s after which a proxy answers for an upstream that is gone. */
const RPC_TIMEOUT_MS = 5000;
const PING_TIMEOUT_MS = 1000;

export interface XrayOptions
  extends Omit<OpenOptions, "trail" | "evenIfUnverified" | "onGoaway" | "onSettings"> {
  /** An address of the pod, dialled besides on the target's port. */
  readonly alsoDial?: string;
}

/**
 * Looks through one fresh connection: resolve, TCP, TLS, ALPN, SETTINGS, one unary RPC, PING, close. It
 * never throws for what it sees: the report holds all that each phase showed, also when a later failed.
 *
 * One look is preface, SETTINGS and its acknowledgement, one call, one PING right after the answer (a
 * server forgives that one, RFC 9113 leaves it free), GOAWAY and FIN: what healthy clients do.
 */
export async function xray(target: Target, options: XrayOptions): Promise<XrayReport> {
  const { clock } = options;
  const at = clock.now();
  const trail = newTrail();
  const podDial = dialPod(target, options);
  const seen = await look(target, trail, options);
  const preferredAlpn = await secondOffer(target, trail, options);
  const { phase: _phase, used: _used, tls, ...facts } = trail;
  return {
    at,
    ...facts,
    ...verdictOf(seen.fault, target),
    ...present({
      rpc: seen.rpc && inOwnTime(seen.rpc, clock),
      pingMs: seen.pingMs,
      podDial: await podDial,
    }),
    ...(tls === undefined ? {} : { tls: { ...tls, ...present({ preferredAlpn }) } }),
  };
}

/** The other's clock less ours stays the same, whatever ours was set to. */
function inOwnTime({ dateAt, ...rpc }: RpcFacts, clock: Clock): RpcFacts {
  return dateAt === undefined ? rpc : { ...rpc, dateAt: dateAt - clock.shown(0) };
}

interface Seen {
  readonly fault?: CallError;
  readonly rpc?: RpcFacts;
  readonly pingMs?: number;
}

async function look(target: Target, trail: Trail, options: XrayOptions): Promise<Seen> {
  let connection: OpenedConnection | undefined;
  try {
    connection = await openConnection(target, { ...options, trail, evenIfUnverified: true });
    refuseAsClientsDo(trail, options.clock);
    return await askOnce(connection, trail, options);
  } catch (thrown) {
    return { fault: CallError.from(thrown, trail.phase) };
  } finally {
    connection?.close();
    // Within a second, whatever the server does; nothing of ours is left on it then.
    await connection?.ended;
  }
}

/** What clients would refuse goes no further: no call, and so no metadata, to an unproven server. */
function refuseAsClientsDo({ tls }: Trail, clock: Clock): void {
  if (tls === undefined) return;
  const reason =
    verificationReason(tls, clock.shown(clock.now())) ??
    (tls.selectedAlpn === "h2" ? undefined : ("alpn_missing" as const));
  if (reason !== undefined) throw new CallError({ phase: "tls", reason });
}

async function askOnce(
  connection: OpenedConnection,
  trail: Trail,
  { clock, signal }: XrayOptions,
): Promise<Seen> {
  trail.phase = "rpc";
  const started = clock.monotonicMs();
  const asked = await askHealth(connection, clock.deadline(RPC_TIMEOUT_MS, signal));
  trail.phaseMs.rpc = clock.monotonicMs() - started;
  // Only after an answer: a server counts pings, and forgets them when it has sent something.
  const isAnswered = asked.rpc?.grpcStatus !== undefined && connection.isOpen;
  const pingMs = isAnswered
    ? await connection.ping(clock.deadline(PING_TIMEOUT_MS, signal)).catch(() => undefined)
    : undefined;
  return { ...asked, ...present({ pingMs }) };
}

async function askHealth(connection: OpenedConnection, signal: AbortSignal): Promise<Seen> {
  try {
    const { headers } = await connection.unary({
      path: PATH,
      request: new Uint8Array(),
      signal,
      timeoutMs: RPC_TIMEOUT_MS,
    });
    const header = new Map(headers);
    const facts = {
      contentType: header.get("content-type"),
      serverHeader: header.get("server"),
      dateAt: parseInstant(header.get("date") ?? ""),
    };
    return { rpc: { path: PATH, httpStatus: 200, grpcStatus: 0, ...present(facts) } };
  } catch (thrown) {
    const fault = CallError.from(thrown, "rpc");
    return { fault, rpc: fault.fault.answer ?? { path: PATH } };
  }
}

async function dialPod(target: Target, options: XrayOptions): Promise<DialAttempt | undefined> {
  const { alsoDial, clock, signal } = options;
  const { endpoint } = target;
  if (alsoDial === undefined || endpoint.kind === "unix") return undefined;
  try {
    const address = { kind: "ip", host: alsoDial, port: endpoint.port } as const;
    const { attempt, socket } = await dial(address, { clock, signal });
    if (socket !== undefined) hangUp(socket, clock);
    return attempt;
  } catch {
    // We were stopped: nothing was learnt.
    return undefined;
  }
}

const ALPN_ALERT = 120;

/** Where `h2` alone was not selected: what does the server prefer when it may have HTTP/1.1? */
async function secondOffer(
  target: Target,
  { tls, used }: Trail,
  options: XrayOptions,
): Promise<string | undefined> {
  const isSelected = tls?.selectedAlpn === "h2";
  const isKnown = tls?.selectedAlpn !== undefined || tls?.alert === ALPN_ALERT;
  if (isSelected || !isKnown || used === undefined) return undefined;
  try {
    return await offerBoth(target, used, options);
  } catch {
    // We were stopped, or a file went: the first offer's facts stand without this one.
    return undefined;
  }
}

async function offerBoth(
  target: Target,
  address: DialAddress,
  { clock, signal, keep }: XrayOptions,
): Promise<string | undefined> {
  const { tls: material } = await readCredentials(target, keep);
  const { socket } = await dial(address, { clock, signal });
  if (socket === undefined) return undefined;
  const hands = await shakeHands(socket, {
    clock,
    signal,
    alpn: ["h2", "http/1.1"],
    material,
    ...present({ authority: target.authority }),
  });
  if (hands.outcome === "secured") hangUp(hands.socket, clock);
  return hands.facts.selectedAlpn;
}
