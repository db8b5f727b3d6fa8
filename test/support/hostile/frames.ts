/** Frames of HTTP/2 as bytes, lawful and unlawful. Source: RFC 9113 section 6, RFC 7541. */

const HEAD_BYTES = 9;

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  altsvc: 10,
  origin: 12,
} as const;

export const FLAG = { ack: 1, endStream: 1, endHeaders: 4 } as const;

export const SETTING = {
  headerTableSize: 1,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

interface Shape {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
}

/** One frame; `declaredLength` lies about the length of its payload. */
export function frame(
  { type, flags = 0, stream = 0 }: Shape,
  payload: Uint8Array | readonly number[] = [],
  declaredLength: number = payload.length,
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(declaredLength, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, Uint8Array.from(payload)]);
}

export function settings(values: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = values.map(([id, value]) => {
    const setting = Buffer.alloc(6);
    setting.writeUInt16BE(id, 0);
    setting.writeUInt32BE(value, 2);
    return setting;
  });
  return frame({ type: FRAME.settings }, Buffer.concat(payload));
}

export const settingsAck = frame({ type: FRAME.settings, flags: FLAG.ack });

export const ping = frame({ type: FRAME.ping }, Buffer.alloc(8));

export function goaway(code: number, text = "", lastStream = 2 ** 31 - 1): Buffer {
  return frame(
    { type: FRAME.goaway },
    Buffer.concat([u32(lastStream), u32(code), Buffer.from(text)]),
  );
}

export function rstStream(stream: number, code: number): Buffer {
  return frame({ type: FRAME.rstStream, stream }, u32(code));
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame({ type: FRAME.windowUpdate, stream }, u32(increment));
}

export function data(stream: number, payload: Uint8Array | readonly number[], flags = 0): Buffer {
  return frame({ type: FRAME.data, stream, flags }, payload);
}

/** A whole block of headers, or its beginning where `flags` has no `endHeaders`. */
export function headers(
  stream: number,
  fields: Uint8Array,
  flags: number = FLAG.endHeaders,
): Buffer {
  return frame({ type: FRAME.headers, stream, flags }, fields);
}

export function continuation(
  stream: number,
  fields: Uint8Array | readonly number[],
  flags = 0,
): Buffer {
  return frame({ type: FRAME.continuation, stream, flags }, fields);
}

/** Fields as literals that enter no table and use no Huffman code. */
export function fields(list: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    list.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  );
}

/** What a gRPC server answers first, and last. */
export const GRPC_HEADERS = fields([
  [":status", "200"],
  ["content-type", "application/grpc"],
]);
export const GRPC_OK = fields([["grpc-status", "0"]]);

/** A string of HPACK: its length in a prefix of seven bits, then its bytes. */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** Source: RFC 7541 section 5.1, with a prefix of seven bits. */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const octets = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) + 128);
  return Buffer.from([...octets, rest]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
