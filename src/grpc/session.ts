import { type ClientHttp2Session, connect, constants, type Settings } from "node:http2";
import type { Socket } from "node:net";
import { maskText } from "../model/mask.ts";
import { present } from "../model/present.ts";
import type { Clock } from "../model/time.ts";
import type { GoawayFacts, Http2Settings } from "../model/xray.ts";
import { abortable } from "../net/abortable.ts";
import { CallError } from "./call-error.ts";
import { FloodGuard } from "./flood-guard.ts";

/** How long a server may take for its first SETTINGS, once it may speak. */
const SETTINGS_TIMEOUT_MS = 5000;

/** A value that the server did not send; Node shows the greatest there is. */
const NOT_SENT = 2 ** 32 - 1;

/** What an HTTP/2 session has said of itself so far; filled as it comes in. */
export interface SessionFacts {
  settings?: Http2Settings;
  goaway?: GoawayFacts;
  /** The server closed without a byte, or sent nothing until the time was up. */
  silence?: "mute" | "closed";
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The TCP socket, where TLS lies between. Default: the session's own. */
  readonly wire?: Socket;
  /** Default 5 s. */
  readonly settingsTimeoutMs?: number;
  readonly onSettings?: (settings: Http2Settings) => void;
  readonly onGoaway?: (goaway: GoawayFacts) => void;
}

/** HTTP/2, begun. */
export interface Begun {
  readonly session: ClientHttp2Session;
  readonly guard: FloodGuard;
}

/**
 * Begins HTTP/2 on a connected socket and resolves when the server's SETTINGS are there (Node has then
 * acknowledged them). Throws a `CallError` of phase `http2`; the socket is closed in that case.
 */
export async function beginSession(
  socket: Socket,
  facts: SessionFacts,
  options: SessionOptions,
): Promise<Begun> {
  const { clock, signal, wire = socket, settingsTimeoutMs = SETTINGS_TIMEOUT_MS } = options;
  signal.throwIfAborted();
  const session = connect("http://localhost", {
    createConnection: () => socket,
    settings: { enablePush: false },
  });
  const guard = new FloodGuard(session, wire, clock);
  session.on("remoteSettings", (settings) => {
    facts.settings = settingsOf(settings);
    options.onSettings?.(facts.settings);
  });
  session.on("goaway", (code: number, _lastStream: number, text?: Uint8Array) => {
    const isFirst = facts.goaway === undefined;
    // A second one follows when a graceful server closes; the first says why.
    facts.goaway ??= { at: clock.now(), code, debugText: debugText(text) };
    if (isFirst) options.onGoaway?.(facts.goaway);
  });
  try {
    await firstSettings(session, clock.deadline(settingsTimeoutMs, signal));
    return { session, guard };
  } catch (thrown) {
    session.destroy();
    signal.throwIfAborted();
    throw faultOf(thrown, facts);
  }
}

function firstSettings(session: ClientHttp2Session, deadline: AbortSignal): Promise<void> {
  return abortable<void>(deadline, (resolve, reject) => {
    // It stays: a session's error must not end the process, also after it is handed out.
    session.on("error", reject);
    session.once("close", () => reject(new CallError(CLOSED)));
    session.once("remoteSettings", () => resolve());
  });
}

const CLOSED = { phase: "http2", reason: "connection_closed" } as const;

function faultOf(thrown: unknown, facts: SessionFacts): CallError {
  const { fault } = CallError.from(thrown, "http2");
  if (fault.reason === "deadline") {
    facts.silence = "mute";
    return new CallError({ ...fault, reason: "settings_timeout" });
  }
  if (facts.goaway !== undefined) {
    return new CallError({ ...fault, reason: "goaway", resetCode: facts.goaway.code });
  }
  if (fault.reason === "connection_closed" || fault.reason === "connection_reset") {
    facts.silence = "closed";
  }
  return new CallError(fault);
}

/** The greatest value is Node's for "not sent"; as a limit it would say the same. */
function settingsOf(settings: Settings): Http2Settings {
  const { maxConcurrentStreams, initialWindowSize, maxFrameSize, maxHeaderListSize } = settings;
  const sent = (value: number | undefined) => (value === NOT_SENT ? undefined : value);
  return present({
    maxConcurrentStreams: sent(maxConcurrentStreams),
    initialWindowSize,
    maxFrameSize,
    maxHeaderListSize: sent(maxHeaderListSize),
  });
}

function debugText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : maskText(new TextDecoder().decode(bytes));
}

/** The name of a GOAWAY's or RST_STREAM's code that means: all is well. */
export const NO_ERROR = constants.NGHTTP2_NO_ERROR;
