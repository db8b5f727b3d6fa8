import {
  continuation,
  data,
  FRAME,
  fields,
  frame,
  GRPC_HEADERS,
  GRPC_OK,
  goaway,
  headers,
  ping,
  rstStream,
  SETTING,
  settings,
  windowUpdate,
} from "./frames.ts";
import type { RawClient, RawServerOptions } from "./raw-server.ts";

/** So much is written at once: more would only wait in the kernel. */
const BLOCK_BYTES = 64 * 1024;

/** A block of whole frames. */
export function blockOf(bytes: Uint8Array, blockBytes = BLOCK_BYTES): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(blockBytes / bytes.length) }, () => bytes));
}

/** Lawful SETTINGS, then this without end. */
function onceGreeted(bytes: Uint8Array): RawServerOptions {
  return {
    greet: (client) => {
      client.write(settings());
      client.flood(blockOf(bytes));
    },
  };
}

/** Lawful until the first call, which is answered with `first`, then with `bytes` without end. */
function onceCalled(
  answer: (stream: number) => { readonly first?: Uint8Array; readonly bytes: Uint8Array },
): RawServerOptions {
  return {
    call: (client, stream) => {
      const { first, bytes } = answer(stream);
      if (first !== undefined) client.write(first);
      client.flood(blockOf(bytes));
    },
  };
}

const INFORMATIONAL = fields([[":status", "103"]]);
const MANY_FIELDS = fields(
  Array.from({ length: 100 }, (_, index) => [`x-${index}`, "v".repeat(100)] as const),
);
/** A length prefix of 4 MiB, the most that is taken. */
const FOUR_MEBIBYTES = [0, 0, 0x40, 0, 0];

/** Servers that never stop, by the kind of frame. Source: the CVEs that `flood-guard.ts` names. */
export const FLOODS = {
  SETTINGS: onceGreeted(settings()),
  "SETTINGS that change": onceGreeted(
    Buffer.concat([
      settings([[SETTING.maxConcurrentStreams, 100]]),
      settings([[SETTING.maxConcurrentStreams, 200]]),
    ]),
  ),
  PING: onceGreeted(ping),
  WINDOW_UPDATE: onceGreeted(windowUpdate(0, 1)),
  PRIORITY: onceGreeted(frame({ type: FRAME.priority, stream: 1 }, [0, 0, 0, 0, 1])),
  GOAWAY: onceGreeted(goaway(0, "x")),
  ORIGIN: onceGreeted(frame({ type: FRAME.origin }, [0, 9, ...Buffer.from("https://a")])),
  ALTSVC: onceGreeted(frame({ type: FRAME.altsvc }, [0, 1, 97, 98])),
  "frames of no known type": onceGreeted(frame({ type: 200 }, [1])),
  RST_STREAM: onceCalled((stream) => ({ bytes: rstStream(stream, 8) })),
  "informational HEADERS": onceCalled((stream) => ({ bytes: headers(stream, INFORMATIONAL) })),
  "trailing HEADERS": onceCalled((stream) => ({
    first: headers(stream, GRPC_HEADERS),
    bytes: headers(stream, GRPC_OK),
  })),
  "fields in CONTINUATION": onceCalled((stream) => ({
    first: headers(stream, GRPC_HEADERS, 0),
    bytes: continuation(stream, MANY_FIELDS),
  })),
  "empty CONTINUATION": onceCalled((stream) => ({
    first: headers(stream, GRPC_HEADERS, 0),
    bytes: continuation(stream, []),
  })),
  "empty DATA": onceCalled((stream) => ({
    first: headers(stream, GRPC_HEADERS),
    bytes: data(stream, []),
  })),
  "DATA byte by byte": onceCalled((stream) => ({
    first: Buffer.concat([headers(stream, GRPC_HEADERS), data(stream, FOUR_MEBIBYTES)]),
    bytes: data(stream, [1]),
  })),
  "empty messages": onceCalled((stream) => ({
    first: headers(stream, GRPC_HEADERS),
    bytes: data(stream, Buffer.alloc(16_384)),
  })),
} as const satisfies Readonly<Record<string, RawServerOptions>>;

/** Each frame in a TLS record of its own, which is decrypted by itself: the dearest way to be sent a byte. */
export function recordByRecord(bytes: Uint8Array): RawServerOptions {
  return {
    greet: ({ socket, write }) => {
      write(settings());
      const fill = () => {
        while (!socket.destroyed && socket.write(bytes));
      };
      socket.on("drain", fill);
      fill();
    },
  };
}

/** Each connection meets the next of these. */
export function inTurn(kinds: readonly RawServerOptions[]): RawServerOptions {
  const ofClient = new WeakMap<RawClient, RawServerOptions>();
  let accepted = 0;
  return {
    accepted: (client) => {
      const kind = kinds[accepted % kinds.length];
      accepted += 1;
      if (kind !== undefined) ofClient.set(client, kind);
    },
    greet: (client) => (ofClient.get(client)?.greet ?? lawful)(client),
    call: (client, stream) => ofClient.get(client)?.call?.(client, stream),
  };
}

const lawful = (client: RawClient) => client.write(settings());
