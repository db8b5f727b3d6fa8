import * as z from "zod";
import { path } from "./scalars.ts";

const KEY =
  "lower-case letters, digits, dots, dashes and underscores; neither grpc-… nor a header of HTTP itself";
const OF_HTTP =
  "te|host|connection|content-type|content-length|keep-alive|proxy-connection|transfer-encoding|upgrade";
const KEY_PATTERN = new RegExp(`^(?!grpc-|(?:${OF_HTTP})$)[a-z0-9_.-]{1,128}$`);

/** Metadata of calls. `grpc-` keys belong to the protocol, and HTTP/2 keys are lower case. */
export function metadata() {
  const key = z.string().regex(KEY_PATTERN, KEY);
  const file = z.strictObject({
    file: path().describe("Read again for every fresh connection; white space around it is cut."),
    prefix: z.string().default("").describe('Put before the file\'s content, such as "Bearer ".'),
  });
  const text = z
    .string()
    .regex(/^[\x20-\x7e]*$/, "printable ASCII; base64 for a key that ends in -bin");
  return z
    .record(key, z.union([text, file], { error: "a text, or { file, prefix }" }))
    .prefault({});
}
