import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import type { Socket } from "node:net";
import { statusName } from "../model/status.ts";
import type { GoawayFacts } from "../model/xray.ts";
import { CallError, type CallFault } from "./call-error.ts";
import type { FloodGuard } from "./flood-guard.ts";
import { frameMessage, MessageReader } from "./framing.ts";
import { keepBehind } from "./keep-behind.ts";
import { type Reply, statusOfHttp, statusOfReset } from "./reply.ts";
import type { CallOptions, Metadata } from "./transport.ts";

/** The longest `grpc-timeout`: at most eight digits. Source: doc/PROTOCOL-HTTP2.md, "Timeout". */
const LONGEST_TIMEOUT_MS = 99_999_999;

/** What a call needs of its connection. */
export interface CallWire {
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  readonly guard: FloodGuard;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly metadata: Metadata;
  readonly goaway: GoawayFacts | undefined;
  /** The calls that are open; each enters and leaves by itself. */
  readonly streams: Set<ClientHttp2Stream>;
  readonly isClosedByUs: boolean;
}

/**
 * One call with one request: yields each message of the answer, returns when the server has said OK and
 * throws a `CallError` otherwise. It leaves nothing behind: a consumer that stops early, or a signal
 * that is aborted, resets the stream with CANCEL.
 */
export async function* exchange(
  wire: CallWire,
  options: CallOptions,
  reply: Reply,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal } = options;
  if (signal.aborted) throw CallError.from(signal.reason, "rpc");
  const stream = startStream(wire, options);
  // 1xx: a call of gRPC has none.
  stream.on("headers", () => wire.guard.heardControlFrame());
  stream.once("response", (headers) => reply.hearHeaders(headers));
  stream.once("trailers", (trailers) => reply.hearTrailers(trailers));
  keepBehind(stream, wire.session);
  wire.streams.add(stream);
  wire.guard.callStarted();
  const ended = new Promise<void>((resolve) => stream.once("close", resolve));
  stream.once("close", () => wire.streams.delete(stream));
  // What ends a stream is judged once, below; without a listener it would end the process.
  stream.on("error", () => {});
  try {
    stream.end(frameMessage(options.request));
    yield* messages({ stream, guard: wire.guard, reply }, options);
    // A page that is left in the middle does not end: what is kept of it convicts.
    if (!(reply.isForeign && reply.isBodyKept)) await ended;
  } catch (thrown) {
    throw judge({ wire, stream, reply, signal, thrown }) ?? CallError.from(thrown, "rpc");
  } finally {
    if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL);
  }
  const fault = judge({ wire, stream, reply, signal, thrown: undefined });
  if (fault !== undefined) throw fault;
}

function startStream(wire: CallWire, options: CallOptions): ClientHttp2Stream {
  const { timeoutMs, path, signal } = options;
  const timeout = Math.min(Math.max(1, Math.ceil(timeoutMs ?? 0)), LONGEST_TIMEOUT_MS);
  try {
    return wire.session.request(
      {
        ":method": "POST",
        ":scheme": wire.scheme,
        ":authority": wire.authority,
        ":path": path,
        te: "trailers",
        ...(timeoutMs === undefined ? {} : { "grpc-timeout": `${timeout}m` }),
        "content-type": "application/grpc",
        "user-agent": "grpc-doctor",
        "grpc-accept-encoding": "identity",
        ...merged(wire.metadata),
      },
      { signal },
    );
  } catch (thrown) {
    throw connectionFault(wire, thrown) ?? CallError.from(thrown, "rpc");
  }
}

/** A key that occurs more than once becomes a list. */
function merged(metadata: Metadata): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const [key, value] of metadata) headers[key] = [...(headers[key] ?? []), value];
  return headers;
}

interface Answering {
  readonly stream: ClientHttp2Stream;
  readonly guard: FloodGuard;
  readonly reply: Reply;
}

async function* messages(
  { stream, guard, reply }: Answering,
  options: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new MessageReader(options.maxMessageBytes);
  // Reading by pulling: a consumer that is slow makes the server wait, not us hold.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Uint8Array;
    guard.heardBody(bytes.length);
    reply.hearBody(bytes);
    if (!reply.isForeign) yield* reader.push(bytes);
    else if (reply.isBodyKept) return;
  }
  if (reply.grpcStatus === 0 && !reader.isBetweenMessages) {
    throw new CallError({ phase: "rpc", reason: "malformed_reply" });
  }
}

interface Ended {
  readonly wire: CallWire;
  readonly stream: ClientHttp2Stream;
  readonly reply: Reply;
  readonly signal: AbortSignal;
  readonly thrown: unknown;
}

/** What a call came to; `undefined` when the server said OK. The first that applies is the cause. */
function judge({ wire, stream, reply, signal, thrown }: Ended): CallError | undefined {
  reply.resetCode = resetCodeOf(stream);
  if (thrown instanceof CallError) return withAnswer(thrown.fault, reply);
  if (signal.aborted) return withAnswer(CallError.from(signal.reason, "rpc").fault, reply);
  if (reply.isForeign) return foreign(reply);
  if (reply.grpcStatus !== undefined) return statusFault(reply);
  const lost = connectionFault(wire, thrown);
  if (lost !== undefined) return lost;
  if (reply.resetCode !== undefined) return resetFault(reply, reply.resetCode);
  // It ended well as HTTP, but never said how it went.
  return withAnswer({ phase: "rpc", reason: "not_grpc", status: "UNKNOWN" }, reply, true);
}

function withAnswer(
  fault: CallFault,
  reply: Reply,
  isText = fault.reason === "not_grpc",
): CallError {
  return new CallError({
    ...fault,
    answer: reply.facts(isText || fault.reason === "message_too_large"),
  });
}

function foreign(reply: Reply): CallError {
  const status = statusOfHttp(reply.httpStatus ?? 0);
  return withAnswer({ phase: "rpc", reason: "not_grpc", status }, reply);
}

function statusFault(reply: Reply): CallError | undefined {
  const { grpcStatus = 0, grpcMessage } = reply;
  if (grpcStatus === 0) return undefined;
  const statusText = grpcMessage === undefined ? {} : { statusText: grpcMessage };
  const status = statusName(grpcStatus);
  return withAnswer({ phase: "rpc", reason: "status", status, ...statusText }, reply);
}

function resetFault(reply: Reply, resetCode: number): CallError {
  const isRefused = resetCode === constants.NGHTTP2_REFUSED_STREAM;
  const reason = isRefused ? "stream_refused" : "stream_reset";
  return withAnswer({ phase: "rpc", reason, status: statusOfReset(resetCode), resetCode }, reply);
}

/** Absent where the stream ended well. An end that we asked for is not the server's reset. */
function resetCodeOf(stream: ClientHttp2Stream): number | undefined {
  const { rstCode } = stream;
  return rstCode === undefined || rstCode === constants.NGHTTP2_NO_ERROR ? undefined : rstCode;
}

/** The connection went, and the call with it: the call itself says nothing then. */
function connectionFault(wire: CallWire, thrown: unknown): CallError | undefined {
  const { socket, session, goaway } = wire;
  if (!socket.destroyed && !session.destroyed && !session.closed) return undefined;
  if (wire.isClosedByUs) return new CallError({ phase: "http2", reason: "subchannel_shutdown" });
  if (goaway !== undefined) return goawayFault(goaway, thrown);
  const { reason, errno } = CallError.from(thrown, "http2").fault;
  const isTold = reason === "connection_reset" || errno !== undefined;
  return new CallError({
    phase: "http2",
    reason: isTold ? reason : "connection_closed",
    status: "UNAVAILABLE",
    ...(errno === undefined ? {} : { errno }),
    cause: thrown,
  });
}

function goawayFault({ code }: GoawayFacts, cause: unknown): CallError {
  const status = code === constants.NGHTTP2_NO_ERROR ? "UNAVAILABLE" : statusOfReset(code);
  return new CallError({ phase: "http2", reason: "goaway", status, resetCode: code, cause });
}
