import type { Handler } from "../faulty-server.ts";

const BLOCK_BYTES = 16 * 1024;

/** Headers, then these messages over and over, as fast as they are taken, until the client goes. */
export function endless(...messages: readonly (Uint8Array | readonly number[])[]): Handler {
  const framed = Buffer.concat(messages.map(frame));
  const times = Math.ceil(BLOCK_BYTES / framed.length);
  const block = Buffer.concat(Array.from({ length: times }, () => framed));
  return (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    const fill = () => {
      while (!stream.destroyed && stream.write(block));
    };
    stream.on("drain", fill);
    fill();
  };
}

function frame(message: Uint8Array | readonly number[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, Uint8Array.from(message)]);
}
