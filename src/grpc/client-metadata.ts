import { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import type { SentMetadata } from "../model/facts/probes.ts";
import type { Metadata } from "./transport.ts";

/** What each field of a header list counts beside its text. */
const FIELD_BYTES = 32;

/**
 * The size of what is configured as metadata, and the entry that makes most of it; `undefined` where
 * nothing is. The trace context is ours. Keys are no secret, values are.
 */
export function sentMetadata(metadata: Metadata): SentMetadata | undefined {
  const configured = metadata.filter(([key]) => key !== "traceparent");
  const sizes = configured.map(([key, value]) => ({ key, value: Buffer.byteLength(value) }));
  const [largest] = sizes.toSorted((a, b) => b.value - a.value);
  if (largest === undefined) return undefined;
  const bytes = sizes.reduce((sum, { key, value }) => sum + key.length + value + FIELD_BYTES, 0);
  return { bytes, largestKey: largest.key, largestValueBytes: largest.value };
}

/** As grpc-js takes it; a key that ends in `-bin` carries base64. */
export function grpcMetadata(metadata: Metadata): GrpcMetadata {
  const result = new GrpcMetadata();
  for (const [key, value] of metadata) {
    result.add(key, key.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
  return result;
}

/** As it came, binary values in base64. */
export function entries(metadata: GrpcMetadata | undefined): Metadata {
  return Object.keys(metadata?.getMap() ?? {}).flatMap((key) =>
    (metadata?.get(key) ?? []).map(
      (value) => [key, typeof value === "string" ? value : value.toString("base64")] as const,
    ),
  );
}
