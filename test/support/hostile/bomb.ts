import { deflateSync, gzipSync } from "node:zlib";
import type { Handler } from "../faulty-server.ts";

const MIB = 2 ** 20;
const PREFIX_BYTES = 5;

/** Zeros, compressed a thousandfold; gzip's members stand one after the other, as many as there are. */
function compressedZeros(encoding: "gzip" | "deflate", mebibytes: number): Buffer {
  if (encoding === "deflate") return deflateSync(Buffer.alloc(mebibytes * MIB));
  const member = gzipSync(Buffer.alloc(MIB));
  return Buffer.concat(Array.from({ length: mebibytes }, () => member));
}

/** Answers a call with one compressed message that would fill so much memory. */
export function bomb(encoding: "gzip" | "deflate", mebibytes: number): Handler {
  const message = compressedZeros(encoding, mebibytes);
  const head = Buffer.alloc(PREFIX_BYTES);
  head.writeUInt8(1);
  head.writeUInt32BE(message.length, 1);
  return (stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-encoding": encoding },
      { waitForTrailers: true },
    );
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat([head, message]));
  };
}
