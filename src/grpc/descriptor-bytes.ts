import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { MethodShape } from "../model/facts/services.ts";
import { malformedOr } from "./malformed.ts";

/** Numbers of the few fields that tell a method. Source: google/protobuf/descriptor.proto. */
const FILE = { package: 2, service: 6 } as const;
const SERVICE = { name: 1, method: 2 } as const;
const METHOD = { name: 1, clientStreaming: 5, serverStreaming: 6 } as const;

/** Fields of one answer that are looked at; a program of so many services and methods is none. */
const MOST_LOOKED_AT = 20_000;

/**
 * The methods of one service, read from the bytes of files: messages, which are nearly all of a file, are
 * passed over and not built. Throws `CallError` with `malformed_reply`.
 */
export function methodsIn(files: readonly Uint8Array[], service: string): readonly MethodShape[] {
  const look = createLook();
  return malformedOr(() =>
    files.flatMap((file) => {
      const { text: scope, messages: services } = look(file, FILE.package, FILE.service);
      const prefix = scope === "" ? "" : `${scope}.`;
      const found = services
        .map((bytes) => look(bytes, SERVICE.name, SERVICE.method))
        .find(({ text }) => `${prefix}${text}` === service);
      return (found?.messages ?? []).map((bytes): MethodShape => {
        const { text, flags } = look(bytes, METHOD.name);
        return { name: `${service}/${text}`, kind: kindOf(flags) };
      });
    }),
  );
}

/** What is looked for in one message; all looks together are bounded. */
type Look = (
  bytes: Uint8Array,
  textField: number,
  messageField?: number,
) => {
  readonly text: string;
  readonly messages: readonly Uint8Array[];
  /** Numbers of the fields that are true. */
  readonly flags: ReadonlySet<number>;
};

function createLook(): Look {
  let left = MOST_LOOKED_AT;
  return (bytes, textField, messageField) => {
    const reader = new BinaryReader(bytes);
    const messages: Uint8Array[] = [];
    const flags = new Set<number>();
    let text = "";
    while (reader.pos < reader.len) {
      left -= 1;
      if (left < 0) throw new Error(`more than ${MOST_LOOKED_AT} fields`);
      const [number, wireType] = reader.tag();
      const isLong = wireType === WireType.LengthDelimited;
      if (isLong && number === textField) text = reader.string();
      else if (isLong && number === messageField) messages.push(reader.bytes());
      else if (wireType === WireType.Varint && reader.bool()) flags.add(number);
      else if (wireType !== WireType.Varint) reader.skip(wireType, number);
    }
    return { text, messages, flags };
  };
}

function kindOf(flags: ReadonlySet<number>): MethodShape["kind"] {
  const isServerStreaming = flags.has(METHOD.serverStreaming);
  if (flags.has(METHOD.clientStreaming)) return isServerStreaming ? "bidi" : "client-streaming";
  return isServerStreaming ? "server-streaming" : "unary";
}
