import type { Socket } from "node:net";
import { present } from "../model/present.ts";
import type { Target } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import { provenProtocol, type SniffResult, type TlsFacts } from "../model/xray.ts";
import { alertOf, reasonOfAlert } from "../net/alert.ts";
import { type DialAddress, dial } from "../net/dial.ts";
import { shakeHands } from "../net/handshake.ts";
import { type SniffOptions, sniff, sniffClosed } from "../net/sniff.ts";
import { CallError, errorCode } from "./call-error.ts";
import type { Credentials } from "./credentials.ts";
import { type Begun, beginSession, type SessionOptions } from "./session.ts";
import { newTrail, type Trail } from "./trail.ts";

export type Spoken = "plaintext" | "tls";

export interface SpeakOptions extends SessionOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly credentials: Credentials;
  /** What the target spoke last time; tried first where nothing is expected. Default plaintext. */
  readonly lastSpoke?: Spoken;
  /** How long a sniffed peer may stay silent; default 1 s, for each of two questions. */
  readonly sniffTimeoutMs?: number;
  /** Whether a port is sniffed whose handshake failed. Default: it is. */
  readonly isSniffed?: boolean;
}

/** HTTP/2, begun: the server's SETTINGS are here. */
export interface Spoke extends Begun {
  /** The socket under the session: of TLS where TLS is spoken. */
  readonly socket: Socket;
  readonly spoke: Spoken;
}

interface Visit {
  readonly socket: Socket;
  readonly target: Target;
  readonly address: DialAddress;
  readonly trail: Trail;
  readonly options: SpeakOptions;
}

/**
 * Speaks to a connected socket as the target expects: TLS or plaintext, then HTTP/2. Where nothing is
 * expected both are tried, what worked last time first; the other only when that failed.
 *
 * When the expected handshake fails, and only then, the port is sniffed, on connections of its own.
 * Throws a `CallError` of phase `tls` or `http2`.
 */
export async function speak(
  socket: Socket,
  about: Pick<Visit, "target" | "address" | "trail">,
  options: SpeakOptions,
): Promise<Spoke> {
  const visit = { ...about, socket, options };
  const { tls } = about.target;
  if (tls !== undefined) return speakAsExpected(socket, visit, tls.mode);
  const first = options.lastSpoke ?? "plaintext";
  try {
    return await SPEAKERS[first](socket, visit);
  } catch (thrown) {
    const fault = CallError.from(thrown, "http2");
    options.signal.throwIfAborted();
    if (provesProtocol(visit.trail, fault)) throw fault;
    return speakOtherwise(first === "tls" ? "plaintext" : "tls", visit, fault);
  }
}

const SPEAKERS = { plaintext: speakPlaintext, tls: speakTls } as const;

async function speakAsExpected(socket: Socket, visit: Visit, mode: Spoken): Promise<Spoke> {
  try {
    return await SPEAKERS[mode](socket, visit);
  } catch (thrown) {
    const fault = CallError.from(thrown, mode === "tls" ? "tls" : "http2");
    visit.options.signal.throwIfAborted();
    if (provesProtocol(visit.trail, fault)) throw fault;
    throw await sniffed(visit, fault, mode);
  }
}

/** Adopts the other protocol if it shows itself to be the right one; else tells of the first. */
async function speakOtherwise(other: Spoken, visit: Visit, first: CallError): Promise<Spoke> {
  const { address, trail, options } = visit;
  const { socket } = await dial(address, options);
  if (socket === undefined) throw first;
  const second: Trail = { ...newTrail(), dials: trail.dials };
  try {
    const spoke = await SPEAKERS[other](socket, { ...visit, trail: second });
    adopt(trail, second);
    return spoke;
  } catch (thrown) {
    const fault = CallError.from(thrown, "http2");
    options.signal.throwIfAborted();
    if (provesProtocol(second, fault)) {
      adopt(trail, second);
      throw fault;
    }
    const silence = trail.silence ?? second.silence;
    const isUnheard = visit.socket.bytesRead + socket.bytesRead === 0;
    if (silence === undefined || !isUnheard) throw await sniffed(visit, first);
    // Both questions of a sniff were asked already, and nobody said a byte.
    const isAsked = silence === "closed" && options.isSniffed !== false;
    learn(trail, isAsked ? await sniffClosed(address, sniffOptions(options)) : { found: silence });
    throw first;
  }
}

function adopt(trail: Trail, second: Trail): void {
  // What the wrong protocol made the server do says nothing of the right one.
  delete trail.silence;
  delete trail.tls;
  delete trail.phaseMs.tls;
  Object.assign(trail.phaseMs, second.phaseMs);
  const { phaseMs: _kept, ...facts } = second;
  Object.assign(trail, facts);
}

/** The peer has shown that it speaks what we spoke, though it then failed: nothing to sniff. */
function provesProtocol(trail: Trail, { fault }: CallError): boolean {
  return fault.reason === "goaway" || provenProtocol(trail) !== undefined;
}

async function sniffed(visit: Visit, fault: CallError, expected?: Spoken): Promise<CallError> {
  const { address, trail, options } = visit;
  if (options.isSniffed === false) return fault;
  const isTls = expected === "tls";
  const result = await sniff(address, { ...sniffOptions(options), isTls });
  learn(trail, result);
  const reason = reasonOfSniff(result, expected);
  return reason === undefined ? fault : new CallError({ ...fault.fault, reason });
}

function sniffOptions({ clock, signal, sniffTimeoutMs }: SpeakOptions): SniffOptions {
  return { clock, signal, ...present({ timeoutMs: sniffTimeoutMs }) };
}

function learn(trail: Trail, result: SniffResult): void {
  trail.sniff = result;
  if (result.found === "mute" || result.found === "closed") trail.silence = result.found;
  else delete trail.silence;
}

function reasonOfSniff({ found }: SniffResult, expected: Spoken | undefined) {
  if (expected === "tls" && (found === "h2c" || found === "http1")) return "tls_expected";
  if (expected === "plaintext" && found === "tls") return "plaintext_expected";
  return found === "http1" || found === "other" ? "not_http2" : undefined;
}

async function speakPlaintext(socket: Socket, { trail, options }: Visit): Promise<Spoke> {
  trail.spoke = "plaintext";
  return { ...(await timedSession(socket, trail, options)), socket, spoke: "plaintext" };
}

async function speakTls(wire: Socket, visit: Visit): Promise<Spoke> {
  const { target, trail, options } = visit;
  const { clock, signal, credentials } = options;
  const started = clock.monotonicMs();
  trail.spoke = "tls";
  trail.phase = "tls";
  const hands = await shakeHands(wire, {
    clock,
    signal,
    alpn: ["h2"],
    material: credentials.tls,
    ...present({
      authority: target.authority,
      host: target.endpoint.kind === "unix" ? undefined : target.endpoint.host,
    }),
  });
  trail.tls = hands.facts;
  trail.phaseMs.tls = clock.monotonicMs() - started;
  if (hands.outcome === "failed") throw handshakeFault(hands.thrown, hands.facts);
  const { socket } = hands;
  try {
    return { ...(await timedSession(socket, trail, { ...options, wire })), socket, spoke: "tls" };
  } catch (thrown) {
    signal.throwIfAborted();
    throw afterHandshake(CallError.from(thrown, "http2"), trail, hands.facts);
  }
}

async function timedSession(socket: Socket, trail: Trail, options: SpeakOptions): Promise<Begun> {
  const started = options.clock.monotonicMs();
  trail.phase = "http2";
  const begun = await beginSession(socket, trail, options);
  trail.phaseMs.http2 = options.clock.monotonicMs() - started;
  return begun;
}

function handshakeFault(thrown: unknown, facts: TlsFacts): CallError {
  const { fault } = CallError.from(thrown, "tls");
  if (facts.alert !== undefined) {
    return new CallError({ ...fault, reason: reasonOfAlert(facts.alert, useOf(facts)) });
  }
  // TLS 1.2: it has asked for our certificate, and hung up once it had the answer.
  const isHungUp = fault.reason === "connection_reset" || fault.reason === "connection_closed";
  if (isHungUp && facts.clientCertificateAsked === true) {
    return new CallError({ ...fault, reason: aboutOurCertificate(facts) });
  }
  return new CallError({
    ...fault,
    reason: fault.reason === "deadline" ? "handshake_failed" : fault.reason,
  });
}

/**
 * In TLS 1.3 the client's half of the handshake ends first: a server that rejects our certificate does
 * so after it, by an alert or by closing before its SETTINGS.
 */
function afterHandshake(error: CallError, trail: Trail, facts: TlsFacts): CallError {
  const { fault } = error;
  const alert = alertOf(errorCode(fault.cause));
  if (alert !== undefined) {
    trail.tls = { ...facts, alert };
    return new CallError({ ...fault, phase: "tls", reason: reasonOfAlert(alert, useOf(facts)) });
  }
  const isHungUp = trail.silence === "closed";
  if (isHungUp && facts.clientCertificateAsked === true && facts.version === "TLSv1.3") {
    return new CallError({ ...fault, phase: "tls", reason: aboutOurCertificate(facts) });
  }
  return facts.selectedAlpn === "h2"
    ? error
    : new CallError({ ...fault, phase: "tls", reason: "alpn_missing" });
}

function useOf(facts: TlsFacts): { readonly asked: boolean; readonly sent: boolean } {
  const { clientCertificateAsked = false, clientCertificateSent = false } = facts;
  return { asked: clientCertificateAsked, sent: clientCertificateSent };
}

function aboutOurCertificate(facts: TlsFacts) {
  return facts.clientCertificateSent === true
    ? ("client_certificate_rejected" as const)
    : ("client_certificate_required" as const);
}
