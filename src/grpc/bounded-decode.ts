import {
  type DescField,
  type DescMessage,
  fromBinary,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { CallError } from "./call-error.ts";

/**
 * Fields of one reply that are decoded. Each costs up to 3 µs without V8's compilers (as in the image)
 * and 80 bytes, and takes two bytes on the wire: four mebibytes of them would hold the event loop for
 * eight seconds. A page of fifty channels with full traces has 13 000.
 */
const MOST_FIELDS = 20_000;

/** The least that a field takes on the wire: its tag, and a varint or an empty length. */
const LEAST_FIELD_BYTES = 2;

/** As deep as the library reads. */
const MOST_DEPTH = 100;

/** Elements of a packed list cost less than a tenth of a field. */
const PACKED_BYTES_PER_FIELD = 8;

/**
 * Decodes a message of a server that is not trusted: its fields are counted, without building anything,
 * before it is decoded. Throws `CallError` with `message_too_large` where there are more than `most`, and
 * with `malformed_reply` where the bytes are no such message.
 */
export function decode<O extends DescMessage>(
  schema: O,
  bytes: Uint8Array,
  most: number = MOST_FIELDS,
): MessageShape<O> {
  return wellFormed(() => {
    if (hasMoreFields(schema, bytes, most)) {
      throw new CallError({ phase: "rpc", reason: "message_too_large" });
    }
    return fromBinary(schema, bytes);
  });
}

function wellFormed<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof CallError) throw thrown;
    throw new CallError({ phase: "rpc", reason: "malformed_reply", cause: thrown });
  }
}

/** Several messages, of `most` fields together. */
export function decodeAll<O extends DescMessage>(
  schema: O,
  messages: readonly Uint8Array[],
  most: number,
): readonly MessageShape<O>[] {
  let left = most;
  return messages.map((bytes) => {
    const message = decode(schema, bytes, left);
    // The library lets a field within a message run over that message's end; the count does not.
    left -= wellFormed(() => fieldsIn(schema, bytes, left));
    return message;
  });
}

function hasMoreFields(schema: DescMessage, bytes: Uint8Array, most: number): boolean {
  return bytes.length > LEAST_FIELD_BYTES * most && fieldsIn(schema, bytes, most) > most;
}

/**
 * How many fields stand in a message, those of the messages in it included; counted to a little beyond
 * `most` and no further. Throws what the library throws where the bytes are no fields.
 */
export function fieldsIn(schema: DescMessage, bytes: Uint8Array, most: number): number {
  return countFields(partsOf(schema), bytes, { most, depth: 0 });
}

function countFields(
  parts: Parts,
  bytes: Uint8Array,
  { most, depth }: { readonly most: number; readonly depth: number },
): number {
  const reader = new BinaryReader(bytes);
  let count = 0;
  while (reader.pos < reader.len && count <= most) {
    const [number, wireType] = reader.tag();
    count += 1;
    if (wireType === WireType.LengthDelimited) {
      const inside = parts.get(number);
      const value = reader.bytes();
      if (inside === "packed") count += value.length / PACKED_BYTES_PER_FIELD;
      else if (inside !== undefined && depth < MOST_DEPTH)
        count += countFields(inside(), value, { most: most - count, depth: depth + 1 });
    } else {
      const skipped = reader.skip(wireType, number);
      if (wireType === WireType.StartGroup) count += skipped.length / LEAST_FIELD_BYTES;
    }
  }
  return count;
}

/** What stands inside the length-delimited fields of a message, by number; absent = one value. */
type Parts = ReadonlyMap<number, "packed" | (() => Parts)>;

const known = new WeakMap<DescMessage, Parts>();

function partsOf(message: DescMessage): Parts {
  const parts = known.get(message) ?? new Map(message.fields.flatMap(partOf));
  known.set(message, parts);
  return parts;
}

/** The number of the value in an entry of a map. Source: protobuf.dev, encoding of maps. */
const MAP_VALUE = 2;

function partOf(field: DescField): readonly (readonly [number, "packed" | (() => Parts)])[] {
  const { number, fieldKind, message, scalar } = field;
  const inside = message && (() => partsOf(message));
  if (fieldKind === "map") {
    return [[number, () => new Map(inside === undefined ? [] : [[MAP_VALUE, inside]])]];
  }
  if (inside !== undefined) return [[number, inside]];
  const isText = scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
  return fieldKind === "list" && !isText ? [[number, "packed"]] : [];
}
