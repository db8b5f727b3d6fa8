import {
  type DescMethod,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import type { MethodShape } from "../model/facts/services.ts";
import type { Json } from "../model/json.ts";
import { knownWords, wordsOf } from "../model/known-words.ts";
import { maskText } from "../model/mask.ts";
import { decodeAll } from "./bounded-decode.ts";
import { CallError } from "./call-error.ts";

/** Finds `package.Service/Method`; `undefined` where the registry has no such method. */
export function methodNamed(registry: FileRegistry, name: string): DescMethod | undefined {
  const [service = "", method = ""] = name.replace(/^\//, "").split("/");
  return registry.getService(service)?.methods.find((each) => each.name === method);
}

export function methodKind({ methodKind: kind }: DescMethod): MethodShape["kind"] {
  switch (kind) {
    case "unary":
      return "unary";
    case "server_streaming":
      return "server-streaming";
    case "client_streaming":
      return "client-streaming";
    case "bidi_streaming":
      return "bidi";
  }
}

/** What of a request does not fit its schema, in a sentence. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** Which of the messages it is, and its key that the schema does not have. */
  readonly unknownKey: { readonly index: number; readonly key: string } | undefined;

  constructor(message: string, unknownKey?: { readonly index: number; readonly key: string }) {
    super(message);
    this.unknownKey = unknownKey;
  }
}

const UNKNOWN_KEY = /: key "(.{1,100})" is unknown$/;

/**
 * Requests as canonical ProtoJSON into bytes. Unknown fields are errors: a misspelt field would be a
 * request without it. Throws `RequestError`.
 */
export function encodeRequests(
  registry: FileRegistry,
  method: DescMethod,
  requests: readonly Json[],
): readonly Uint8Array[] {
  const isStream =
    method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  if (!isStream && requests.length !== 1) {
    throw new RequestError(`${method.name} takes one message, not ${requests.length}`);
  }
  return requests.map((request, index) => {
    try {
      // `Json` is the read-only side of `JsonValue`; fromJson does not write to it.
      return toBinary(method.input, fromJson(method.input, request as JsonValue, { registry }));
    } catch (thrown) {
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      const [, key] = UNKNOWN_KEY.exec(text) ?? [];
      const fault = maskText(withoutValues(text, registry));
      throw new RequestError(fault, key === undefined ? undefined : { index, key });
    }
  });
}

/** What protobuf-es says of JSON that does not fit, but for the values, which it quotes. */
const PLAIN_WORDS: ReadonlySet<string> = new Set(
  wordsOf(
    "cannot decode use with field message oneof enum from JSON maximum recursion depth of reached key is " +
      "unknown set multiple times by expected got Array list item must not be null map entry value " +
      "invalid duplicate unexpected NaN infinite number object ReflectMessage ReflectMap ReflectList " +
      "Uint8Array RFC 3339 string path names type registry in the out range UTF8 integer boolean bool " +
      "float32 float64 int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 bigint bytes float double",
  ),
);

/** The names of the schema stay, and a misspelt one; what is neither is a value of the payload. */
function withoutValues(text: string, registry: FileRegistry): string {
  const types = [...registry];
  const members = types.flatMap((type) => (type.kind === "message" ? type.members : []));
  const all = [...types.map(({ typeName }) => typeName), ...members.map(({ name }) => name)];
  const names = new Set(all.flatMap(wordsOf));
  const misspelt = new Set(wordsOf(UNKNOWN_KEY.exec(text)?.[1] ?? ""));
  return knownWords(text, (word) => PLAIN_WORDS.has(word) || names.has(word) || misspelt.has(word));
}

/**
 * Responses as messages, as many as the method has. Throws `CallError` with `malformed_reply`, or with
 * `message_too_large` where they have more than `mostFields` together.
 */
export function decodeResponses(
  method: DescMethod,
  responses: readonly Uint8Array[],
  mostFields: number,
): readonly Message[] {
  const isStream =
    method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
  if (!isStream && responses.length !== 1) {
    const cause = new Error(`${method.name} answers one message, not ${responses.length}`);
    throw new CallError({ phase: "rpc", reason: "malformed_reply", cause });
  }
  return decodeAll(method.output, responses, mostFields);
}

/** One message; `undefined` where the bytes are none of its type. */
export function messageOf(method: DescMethod, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(method.output, bytes);
  } catch {
    return undefined; // decodeResponses tells of it, once all is there
  }
}

/** A response as canonical ProtoJSON, for a person; what its schema cannot show becomes a sentence. */
export function responseJson(registry: FileRegistry, method: DescMethod, message: Message): Json {
  try {
    return toJson(method.output, message, { registry });
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return `cannot be shown as JSON: ${maskText(text)}`;
  }
}
