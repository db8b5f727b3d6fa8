import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Clock } from "../model/time.ts";
import { decode, fieldsIn } from "./bounded-decode.ts";
import { malformedOr } from "./malformed.ts";
import { createTurns } from "./turns.ts";

/** Of one file: 120 KiB, which hold the event loop for a tenth of a second in the image. */
const MOST_FIELDS_OF_FILE = 30_000;
/** Of all files that one service needs: 600 KiB, and thirty mebibytes as objects. */
const MOST_FIELDS = 150_000;

/**
 * Decodes the files of one service, one after the other, within a common bound; between large ones the
 * event loop turns. Throws `CallError`: `message_too_large` beyond the bound, `malformed_reply` for what is
 * no descriptor.
 */
export function createFileDecoder({
  clock,
  signal,
}: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): (bytes: Uint8Array) => Promise<FileDescriptorProto> {
  const turn = createTurns(clock, signal);
  let left = MOST_FIELDS;
  return async (bytes) => {
    const most = Math.min(left, MOST_FIELDS_OF_FILE);
    const fields = malformedOr(() => fieldsIn(FileDescriptorProtoSchema, bytes, most));
    left -= fields;
    await turn();
    return decode(FileDescriptorProtoSchema, bytes, most);
  };
}
