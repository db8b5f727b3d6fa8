import type { ProbeRun } from "./facts/probes.ts";

/** A message that was larger than its receiver takes, as the receiver's own words have it. */
export interface ExceededSize {
  readonly messageBytes: number;
  readonly limitBytes: number;
  /** Who refused it: the server a request, or the client a response. */
  readonly direction: "request" | "response";
}

/** Sources: grpc-go rpc_util.go, C-core message_size_filter, grpc-js stream-decoder; tonic codec/decode. */
const SIZE_FIRST: readonly RegExp[] = [
  /larger than max \((\d+) vs\.? (\d+)\)/,
  /message length too large: found (\d+) bytes, the limit is: (\d+) bytes/,
];
/** Source: grpc-java MessageDeframer. */
const LIMIT_FIRST = /message exceeds maximum size (\d+): (\d+)/;

/** What clients receive at most where nobody changed it; the agent's own do too. */
const DEFAULT_LIMIT = 4_194_304;
/** The words of grpc-js: of our own client, unless the server is one and the request is as large. */
const OWN_WORDS = /^Received message larger than max/;

/**
 * What a failed run says of sizes; `undefined` where it says nothing of them, or where the size is four
 * letters: a page of HTML was read as a message, and that is no matter of sizes.
 */
export function exceededSize({ status, statusText = "" }: ProbeRun): ExceededSize | undefined {
  if (status !== "RESOURCE_EXHAUSTED" && status !== "OUT_OF_RANGE") return undefined;
  const found = sizesIn(statusText);
  if (found === undefined || isText(found.messageBytes)) return undefined;
  const isOwn = OWN_WORDS.test(statusText) && found.limitBytes === DEFAULT_LIMIT;
  return { ...found, direction: isOwn ? "response" : "request" };
}

function sizesIn(text: string): Omit<ExceededSize, "direction"> | undefined {
  const limitFirst = LIMIT_FIRST.exec(text);
  const match = limitFirst ?? SIZE_FIRST.map((size) => size.exec(text)).find((one) => one !== null);
  if (match === null || match === undefined) return undefined;
  const [first, second] = [Number(match[1]), Number(match[2])];
  return limitFirst === null
    ? { messageBytes: first, limitBytes: second }
    : { messageBytes: second, limitBytes: first };
}

/** Whether the four bytes of a length are printable ASCII: "html", "!DOC". */
function isText(length: number): boolean {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(length / 2 ** shift) % 256);
  return bytes.every((byte) => byte >= 0x20 && byte <= 0x7e);
}
