import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Json } from "../model/json.ts";
import { CallError } from "./call-error.ts";
import type { ClientReply } from "./client.ts";
import type { ResolvedMethod } from "./method-resolver.ts";
import { decodeResponses, responseJson } from "./proto-json.ts";

/** Responses of one run that are judged, in fields: a sixth of a second in the image. */
const MOST_FIELDS = 50_000;

/** What a probe lacks whose responses are larger than that. */
export const TOO_LARGE = {
  part: "assertions",
  reason: `the response has more than ${MOST_FIELDS} fields`,
  fix: "Ask for less in the request of the probe, or expect a status and a latency alone.",
} as const;

/**
 * The responses as messages; `undefined` where there is an assertion, and they are too large to be held
 * to it. Throws a `CallError` where they are no messages of the method.
 */
export function judgeable(
  method: DescMethod,
  responses: readonly Uint8Array[],
  assertions: readonly unknown[],
): readonly Message[] | undefined {
  try {
    return decodeResponses(method, responses, MOST_FIELDS);
  } catch (thrown) {
    const isLarge = thrown instanceof CallError && thrown.fault.reason === "message_too_large";
    if (!isLarge) throw thrown;
    return assertions.length === 0 ? [] : undefined;
  }
}

/** The responses as canonical ProtoJSON, whatever their size: somebody waits for them. */
export function shown({ registry, method }: ResolvedMethod, reply: ClientReply): readonly Json[] {
  const isOk = reply.error === undefined;
  const messages = isOk ? decodeResponses(method, reply.responses, Number.POSITIVE_INFINITY) : [];
  return messages.map((message) => responseJson(registry, method, message));
}
