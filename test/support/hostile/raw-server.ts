import net from "node:net";
import tls from "node:tls";
import { FLAG, FRAME, settings, settingsAck } from "./frames.ts";

const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;

/** One client, as a server sees it that writes every byte itself. */
export interface RawClient {
  readonly socket: net.Socket;
  write(...frames: readonly Uint8Array[]): void;
  /** Writes this again and again, as fast as it is taken, until the client goes; the first one wins. */
  flood(bytes: Uint8Array): void;
  /** One byte in each so many milliseconds, until the client goes. */
  trickle(bytes: Uint8Array, everyMs: number): void;
}

export interface RawServerOptions {
  /** PEM; absent = plaintext. All bytes are then those inside TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** A connection was accepted; the preface is not here yet. Default: nothing. */
  readonly accepted?: (client: RawClient) => void;
  /** The preface is here. Default: empty SETTINGS. */
  readonly greet?: (client: RawClient) => void;
  /** Whether the client's SETTINGS are acknowledged. Default true. */
  readonly acknowledges?: boolean;
  /** A call began: its HEADERS are here; they are not read. Default: nothing. */
  readonly call?: (client: RawClient, stream: number) => void;
}

/** A REAL server over TCP that speaks whatever bytes it likes; stop it last. */
export interface RawServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  readonly accepted: number;
  readonly open: number;
  /** Bytes that clients have taken, of all connections together. */
  readonly taken: number;
  stop(): Promise<void>;
}

export async function startRawServer(options: RawServerOptions = {}): Promise<RawServer> {
  const sockets = new Set<net.Socket>();
  let accepted = 0;
  let takenBefore = 0;
  const hear = (socket: net.Socket) => {
    accepted += 1;
    sockets.add(socket);
    // Clients of hostile servers hang up as they like.
    socket.on("error", () => {});
    socket.once("close", () => {
      takenBefore += takenOf(socket);
      sockets.delete(socket);
    });
    serve(clientOf(socket), options);
  };
  const server =
    options.tls === undefined
      ? net.createServer(hear)
      : tls.createServer({ ...options.tls, ALPNProtocols: ["h2"] }, hear);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    port,
    get accepted() {
      return accepted;
    },
    get open() {
      return sockets.size;
    },
    get taken() {
      return [...sockets].reduce((sum, socket) => sum + takenOf(socket), takenBefore);
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function takenOf(socket: net.Socket): number {
  return socket.bytesWritten - socket.writableLength;
}

function clientOf(socket: net.Socket): RawClient {
  let isFlooding = false;
  return {
    socket,
    write: (...frames) => void socket.write(Buffer.concat(frames)),
    flood: (bytes) => {
      if (isFlooding) return;
      isFlooding = true;
      const fill = () => {
        while (!socket.destroyed && socket.write(bytes));
      };
      socket.on("drain", fill);
      fill();
    },
    trickle: (bytes, everyMs) => {
      let at = 0;
      const timer = setInterval(() => {
        socket.write(bytes.subarray(at % bytes.length, (at % bytes.length) + 1));
        at += 1;
      }, everyMs);
      socket.once("close", () => clearInterval(timer));
    },
  };
}

/** Reads the client's frames, as far as the headers of frames go. */
function serve(client: RawClient, options: RawServerOptions): void {
  const { greet = (to) => to.write(settings()), acknowledges = true, call = () => {} } = options;
  let heard = Buffer.alloc(0);
  let isGreeted = false;
  options.accepted?.(client);
  client.socket.on("data", (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    if (!isGreeted && heard.length >= PREFACE_BYTES) {
      isGreeted = true;
      heard = heard.subarray(PREFACE_BYTES);
      greet(client);
    }
    while (isGreeted && heard.length >= HEAD_BYTES) {
      const length = heard.readUIntBE(0, 3);
      if (heard.length < HEAD_BYTES + length) return;
      const [type, flags] = [heard[3], heard[4] ?? 0];
      const stream = heard.readUInt32BE(5);
      heard = heard.subarray(HEAD_BYTES + length);
      const isTheirs = type === FRAME.settings && (flags & FLAG.ack) === 0;
      if (isTheirs && acknowledges) client.write(settingsAck);
      if (type === FRAME.headers) call(client, stream);
    }
  });
}
