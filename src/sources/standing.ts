import { CallError } from "../grpc/call-error.ts";
import type { Connection } from "../grpc/transport.ts";
import type { CapabilityObservation } from "../model/observation.ts";
import type { SourceName } from "../model/source-name.ts";
import type { Instant } from "../model/time.ts";

/** What a server refused is asked again after this, or over another connection. */
export const ASK_AGAIN_MS = 3_600_000;

interface Settled {
  readonly available: boolean;
  readonly reason: string | undefined;
  readonly at: Instant;
}

/** Which part of which source, at which target, and now. */
export interface Question {
  readonly source: SourceName;
  readonly part?: string;
  readonly target: string;
  readonly at: Instant;
}

/**
 * What a server was found able to do over one connection. C-core and grpc-js count each of our
 * unimplemented calls as a failed one, so what was refused is not asked again; and a capability is
 * told once, not with every answer.
 */
const standings = new WeakMap<Connection, Map<string, Settled>>();

/** Refused over this connection, less than an hour ago. */
export function isRefused(connection: Connection, { source, part, at }: Question): boolean {
  const settled = standings.get(connection)?.get(key(source, part));
  return settled !== undefined && !settled.available && at - settled.at < ASK_AGAIN_MS;
}

/**
 * Tells that the source sees nothing, where the server lets nobody in without the certificate that we
 * were not given. Any other end of a connection is the kept connection's to tell.
 */
export function* notLetIn(thrown: unknown, question: Question): Generator<CapabilityObservation> {
  if (!(thrown instanceof CallError)) throw thrown;
  const { reason } = thrown.fault;
  if (reason !== "client_certificate_required") return;
  yield { ...base(question), available: false, reason, fix: GIVE_CERTIFICATE };
}

/** Tells that it works, where that was not told over this connection. */
export function* available(
  connection: Connection,
  question: Question,
): Generator<CapabilityObservation> {
  if (settle(connection, question, undefined)) yield { ...base(question), available: true };
}

/** Tells that the server refuses; `fix` says how to switch it on. */
export function* refused(
  connection: Connection,
  question: Question,
  { error, fix }: { readonly error: CallError; readonly fix: string },
): Generator<CapabilityObservation> {
  const { isUnreadable } = error;
  const { status, reason: word } = error.fault;
  const isAuth = status === "UNAUTHENTICATED" || status === "PERMISSION_DENIED";
  const reason = isUnreadable ? word : (status ?? word);
  if (!settle(connection, question, reason)) return;
  const told = isUnreadable ? SEE_WHO_ANSWERS : isAuth ? GIVE_CREDENTIALS : fix;
  yield { ...base(question), available: false, reason, fix: told };
}

const GIVE_CERTIFICATE = "Give the target a client certificate: `tls.cert` and `tls.key`.";
const GIVE_CREDENTIALS =
  "Give the target `metadata` or a client certificate with which the server lets it in.";

const SEE_WHO_ANSWERS =
  "See what answers on this path: it is another service, or a proxy in front of it.";

function base({ source, part, target, at }: Question) {
  return { source, target, at, kind: "capability", ...(part !== undefined && { part }) } as const;
}

/** True where this is news. */
function settle(
  connection: Connection,
  { source, part, at }: Question,
  reason: string | undefined,
): boolean {
  const known = standings.get(connection) ?? new Map<string, Settled>();
  standings.set(connection, known);
  const before = known.get(key(source, part));
  const isNews =
    before === undefined ||
    before.reason !== reason ||
    (reason !== undefined && at - before.at >= ASK_AGAIN_MS);
  if (isNews) known.set(key(source, part), { available: reason === undefined, reason, at });
  return isNews;
}

function key(source: SourceName, part: string | undefined): string {
  return `${source}/${part ?? ""}`;
}
