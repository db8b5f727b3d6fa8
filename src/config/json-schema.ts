import * as z from "zod";
import type { DetectorRecord } from "../model/detector-record.ts";
import { configSchema } from "./schema/config.ts";

/**
 * The JSON Schema of the configuration file, for editors: made from the very schema that checks it.
 * Draft 7, which yaml-language-server and the schema stores speak.
 */
export function configJsonSchema(
  detectors: readonly DetectorRecord[],
): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema(detectors), {
    target: "draft-7",
    io: "input",
    reused: "inline",
  });
  return {
    $schema,
    title: "grpc-doctor",
    description: "The configuration of grpc-doctor, a sidecar diagnostics agent for gRPC.",
    ...schema,
  };
}

/** The text of deploy/config.schema.json. */
export function configJsonSchemaText(detectors: readonly DetectorRecord[]): string {
  return `${JSON.stringify(configJsonSchema(detectors), null, 2)}\n`;
}
