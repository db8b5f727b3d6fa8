import type { ProbeRun } from "./facts/probes.ts";

/**
 * How servers say that they cannot decode what they were sent; the group is the encoding. Sources:
 * grpc-go rpc_util.go, grpc-java ServerImpl, C-core compression filter, grpc-js server-interceptors,
 * tonic codec/compression, Grpc.AspNetCore, connect-go.
 */
const TEXTS: readonly RegExp[] = [
  /Decompressor is not installed for grpc-encoding "?([\w-]+)/,
  /Can't find decompressor for ([\w-]+)/,
  /Compression algorithm '([\w-]+)' is disabled/,
  /unsupported encoding "([\w-]+)"/,
  /Content is compressed with `([\w-]+)` which isn't supported/,
  /Unsupported grpc-encoding value '([\w-]+)'/,
  /unknown compression "([\w-]+)"/,
];

/** The encoding of a request that the server does not know, in its own words; else `undefined`. */
export function refusedEncoding({ status, statusText = "" }: ProbeRun): string | undefined {
  if (status !== "UNIMPLEMENTED" && status !== "INTERNAL") return undefined;
  const matches = TEXTS.map((text) => text.exec(statusText)?.[1]);
  return matches.find((encoding) => encoding !== undefined);
}
