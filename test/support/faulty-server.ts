import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";

const DRAIN_MS = 3000;
const GOAWAY_GRACE_MS = 50;

/** One call as the server sees it; `answers` has ready-made ways to treat it. */
export type Handler = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

export interface FaultyServerOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default a free one. */
  readonly port?: number;
  /** Listens on this unix socket instead. */
  readonly path?: string;
  /**
   * What an accepted connection meets, after TLS if there is any. `serve` (default): gRPC. `mute`:
   * never a byte. `close`: FIN at once. `reset`: RST as soon as the client has
   * sent any byte. Else: these bytes as soon as the client
   * has sent any, then FIN.
   */
  readonly accept?: "serve" | "mute" | "close" | "reset" | { readonly bytes: string | Uint8Array };
  /** Absent = plaintext. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    /** Protocols to select from; `none`: no ALPN at all, though HTTP/2 is spoken. Default `h2`. */
    readonly alpn?: readonly string[] | "none";
    /** Demands a client certificate that this bundle signed. */
    readonly clientCa?: string;
    readonly minVersion?: tls.SecureVersion;
    readonly maxVersion?: tls.SecureVersion;
  };
  /** First SETTINGS. */
  readonly settings?: http2.Settings;
  /** A GOAWAY, sent on a new session at once or after the first call's answer. */
  readonly goaway?: {
    readonly code: number;
    readonly debugText?: string;
    readonly when: "at-once" | "after-call";
  };
  /** Hears of each session, once both sides' SETTINGS are acknowledged. */
  readonly onSession?: (session: http2.ServerHttp2Session) => void;
  /** By `:path`. */
  readonly handlers?: Readonly<Record<string, Handler>>;
  /** For every other path; default answers health's Check with SERVING, the rest UNIMPLEMENTED. */
  readonly fallback?: Handler;
}

/** A REAL server whose misbehaviours are fields. Stop it last: it fails when a client has leaked. */
export interface FaultyServer {
  /** `127.0.0.1:port`, or `unix:path`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Connections accepted so far, and open now. */
  readonly accepted: number;
  readonly open: number;
  /** Calls received so far: path and headers. */
  readonly calls: readonly http2.IncomingHttpHeaders[];
  /**
   * What a careful server would log about its visitors: connections that ended before preface and
   * SETTINGS were exchanged or without GOAWAY, protocol errors, TLS errors, resets.
   */
  readonly complaints: readonly string[];
  readonly sessions: readonly http2.ServerHttp2Session[];
  /** Resets every connection; goes on listening. */
  reset(): void;
  /** Ends every connection the hard way and stops listening, as a crash does. */
  crash(): Promise<void>;
  /** Stops listening; rejects when a connection is still open after three seconds. */
  stop(): Promise<void>;
}

/** Frames a message: no compression, length, bytes. */
function frame(message: Uint8Array | readonly number[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, Uint8Array.from(message)]);
}

/** `grpc.health.v1.HealthCheckResponse` with status SERVING. */
export const SERVING = [8, 1] as const;

const GRPC_HEADERS = { ":status": 200, "content-type": "application/grpc" } as const;

/** Ready-made handlers. */
export const answers = {
  /** Headers, these messages, trailers with OK. */
  messages:
    (...messages: readonly (Uint8Array | readonly number[])[]): Handler =>
    (stream) => {
      respondWithTrailers(stream, { "grpc-status": "0" });
      stream.end(Buffer.concat(messages.map(frame)));
    },
  /** Trailers-only, as servers do when they refuse. */
  status:
    (code: number, text?: string): Handler =>
    (stream) => {
      const message = text === undefined ? {} : { "grpc-message": text };
      stream.respond(
        { ...GRPC_HEADERS, "grpc-status": String(code), ...message },
        { endStream: true },
      );
    },
  /** These bytes as the body, unframed; trailers with OK or those given. */
  body:
    (bytes: Uint8Array, trailers: http2.OutgoingHttpHeaders = { "grpc-status": "0" }): Handler =>
    (stream) => {
      respondWithTrailers(stream, trailers);
      stream.end(bytes);
    },
  /** What is no gRPC: a page, a login, a proxy's error. */
  http:
    (
      status: number,
      contentType: string,
      body = "",
      headers: http2.OutgoingHttpHeaders = {},
    ): Handler =>
    (stream) => {
      stream.respond({ ":status": status, "content-type": contentType, ...headers });
      stream.end(body);
    },
  /** 200 and a message, then the end without trailers. */
  withoutStatus: (): Handler => (stream) => {
    stream.respond(GRPC_HEADERS);
    stream.end(frame(SERVING));
  },
  reset:
    (code: number): Handler =>
    (stream) =>
      stream.close(code),
  /** Headers and these messages, then nothing more until the client goes. */
  stall:
    (...messages: readonly (Uint8Array | readonly number[])[]): Handler =>
    (stream) => {
      stream.respond(GRPC_HEADERS);
      for (const message of messages) stream.write(frame(message));
    },
  /** Never a byte. */
  silence: (): Handler => () => {},
} as const;

/** A port of 127.0.0.1 that refuses, and that nobody else is given, until `release`. */
export async function refusingPort(): Promise<{ port: number; release(): Promise<void> }> {
  const server = net.createServer((socket) => socket.resume());
  await listening(server, { host: "127.0.0.1", port: 0 });
  const { port: helperPort } = server.address() as net.AddressInfo;
  // A client's own port is taken, but nobody listens on it.
  const holder = net.connect({ host: "127.0.0.1", port: helperPort });
  await new Promise((resolve) => holder.once("connect", resolve));
  const port = holder.localPort as number;
  return {
    port,
    release: () =>
      new Promise((resolve) => {
        holder.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Starts a faulty server; without options it is a healthy one that knows only health's Check. */
export async function startFaultyServer(options: FaultyServerOptions = {}): Promise<FaultyServer> {
  const sockets = new Set<net.Socket>();
  const sessions: http2.ServerHttp2Session[] = [];
  const calls: http2.IncomingHttpHeaders[] = [];
  const complaints: string[] = [];
  let accepted = 0;

  const h2 = http2.createServer({ settings: options.settings ?? {} });
  h2.on("session", (session) => {
    sessions.push(session);
    watchManners(session, complaints);
    const { goaway, onSession } = options;
    if (onSession !== undefined) session.once("localSettings", () => onSession(session));
    // After both sides' SETTINGS: nghttp2 stops reading once it has said GOAWAY on an idle session.
    if (goaway?.when === "at-once")
      session.once("localSettings", () => sendGoaway(session, goaway));
  });
  h2.on("stream", (stream, headers) => {
    calls.push(headers);
    // A reset by the client is no fault of the server.
    stream.on("error", () => {});
    const { goaway } = options;
    const { session } = stream;
    if (goaway?.when === "after-call") stream.once("close", () => sendGoaway(session, goaway));
    const handler = options.handlers?.[headers[":path"] ?? ""] ?? options.fallback ?? healthyCheck;
    handler(stream, headers);
  });

  const inner = await innerServer(options, h2);
  const front = frontServer(options, (socket) => receive(socket, options, { h2, inner }));
  front.on("connection", (socket: net.Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on("error", (error) => complaints.push(`socket: ${error.message}`));
    socket.once("close", () => sockets.delete(socket));
  });
  front.on("tlsClientError", (error: Error) => complaints.push(`tls: ${error.message}`));
  const host = options.host ?? "127.0.0.1";
  const { path } = options;
  await listening(front, path === undefined ? { host, port: options.port ?? 0 } : { path });
  const bound = front.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;

  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      inner?.close();
      front.close(() => resolve());
    });
  return {
    address:
      path === undefined ? (host.includes(":") ? `[${host}]` : host) + `:${port}` : `unix:${path}`,
    host,
    port,
    get accepted() {
      return accepted;
    },
    get open() {
      return sockets.size;
    },
    calls,
    complaints,
    sessions,
    reset: () => {
      for (const socket of sockets) resetNow(socket);
    },
    crash: async () => {
      const closed = new Promise<void>((resolve) => front.close(() => resolve()));
      for (const socket of sockets) resetNow(socket);
      inner?.close();
      await closed;
    },
    stop: async () => {
      const waitUntil = Date.now() + DRAIN_MS;
      while (sockets.size > 0 && Date.now() < waitUntil) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const left = sockets.size;
      await close();
      if (left > 0) throw new Error(`${left} connections were left open`);
    },
  };
}

const healthyCheck: Handler = (stream, headers) =>
  headers[":path"] === "/grpc.health.v1.Health/Check"
    ? answers.messages(SERVING)(stream, headers)
    : answers.status(12, `unknown service ${headers[":path"]}`)(stream, headers);

function respondWithTrailers(
  stream: http2.ServerHttp2Stream,
  trailers: http2.OutgoingHttpHeaders,
): void {
  stream.respond(GRPC_HEADERS, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers(trailers));
}

function sendGoaway(
  session: http2.Http2Session | undefined,
  goaway: { code: number; debugText?: string },
): void {
  if (session === undefined || session.destroyed) return;
  session.goaway(goaway.code, 2 ** 31 - 1, Buffer.from(goaway.debugText ?? ""));
  // As servers do, it gives the client a moment, then closes.
  setTimeout(() => session.close(), GOAWAY_GRACE_MS);
}

function frontServer(
  options: FaultyServerOptions,
  serve: (socket: net.Socket) => void,
): net.Server {
  if (options.tls === undefined) return net.createServer(serve);
  const { cert, key, clientCa, alpn = ["h2"], minVersion, maxVersion } = options.tls;
  return tls.createServer(
    {
      cert,
      key,
      ...(alpn === "none" ? {} : { ALPNProtocols: [...alpn] }),
      ...(clientCa === undefined
        ? {}
        : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(maxVersion === undefined ? {} : { maxVersion }),
      // OpenSSL refuses TLS below 1.2 unless told that it may.
      ...(maxVersion === "TLSv1.1" || maxVersion === "TLSv1"
        ? { ciphers: "DEFAULT:@SECLEVEL=0" }
        : {}),
    },
    serve,
  );
}

/** Node's HTTP/2 server drops TLS sockets without ALPN; behind a plain hop it cannot see that. */
async function innerServer(
  options: FaultyServerOptions,
  h2: http2.Http2Server,
): Promise<net.Server | undefined> {
  if (options.tls === undefined || (options.tls.alpn ?? ["h2"]).includes("h2")) return undefined;
  const inner = net.createServer((socket) => h2.emit("connection", socket));
  await listening(inner, { host: "127.0.0.1", port: 0 });
  return inner;
}

function receive(
  socket: net.Socket,
  options: FaultyServerOptions,
  servers: { h2: http2.Http2Server; inner: net.Server | undefined },
): void {
  const { accept = "serve" } = options;
  if (accept === "serve") {
    if (servers.inner === undefined) servers.h2.emit("connection", socket);
    else pipeTo(socket, servers.inner);
    return;
  }
  socket.resume();
  if (accept === "close") socket.end();
  else if (accept === "reset") socket.once("data", () => resetNow(socket));
  else if (accept !== "mute") socket.once("data", () => socket.end(accept.bytes));
}

/** `resetAndDestroy` ends the stream first, so the peer may see a FIN; this is RST alone. */
function resetNow(socket: net.Socket): void {
  Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

function pipeTo(socket: net.Socket, inner: net.Server): void {
  const hop = net.connect((inner.address() as net.AddressInfo).port, "127.0.0.1");
  hop.on("error", () => socket.destroy());
  socket.once("close", () => hop.destroy());
  hop.once("close", () => socket.destroy());
  socket.pipe(hop).pipe(socket);
}

function watchManners(session: http2.ServerHttp2Session, complaints: string[]): void {
  let hasSettings = false;
  let isAcknowledged = false;
  let hasGoaway = false;
  session.once("remoteSettings", () => (hasSettings = true));
  session.once("localSettings", () => (isAcknowledged = true));
  session.once("goaway", () => (hasGoaway = true));
  session.on("error", (error) => complaints.push(`session: ${error.message}`));
  session.once("close", () => {
    if (!hasSettings) complaints.push("closed before the preface was read");
    else if (!isAcknowledged) complaints.push("closed before SETTINGS were acknowledged");
    else if (!hasGoaway) complaints.push("closed without GOAWAY");
  });
}

function listening(server: net.Server, where: net.ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => resolve());
  });
}
