import { constants, type IncomingHttpHeaders } from "node:http2";
import { maskText } from "../model/mask.ts";
import { present } from "../model/present.ts";
import type { StatusName } from "../model/status.ts";
import { type Instant, parseInstant } from "../model/time.ts";
import type { RpcFacts } from "../model/xray.ts";
import { bodyStart, decodedSize } from "./framing.ts";
import type { Metadata } from "./transport.ts";

/** Enough of a foreign body for its start and its decoded size. */
const FOREIGN_BYTES = 256;
const MOST_HEADER_TEXT = 100;

/** What has arrived in answer to one call, as HTTP and as gRPC. */
export class Reply {
  readonly path: string;
  headers: Metadata = [];
  trailers: Metadata = [];
  #httpStatus: number | undefined;
  #contentType: string | undefined;
  #server: string | undefined;
  #dateAt: Instant | undefined;
  #grpcStatus: number | undefined;
  #grpcMessage: string | undefined;
  #body: Uint8Array = new Uint8Array();
  resetCode: number | undefined;
  /** What the server was shown, and shall not be quoted with. */
  readonly #shown: readonly string[];

  constructor(path: string, shown: readonly string[] = []) {
    this.path = path;
    this.#shown = shown;
  }

  /** An HTTP answer that no gRPC server gives. */
  get isForeign(): boolean {
    if (this.#httpStatus === undefined || this.#grpcStatus !== undefined) return false;
    return this.#httpStatus !== 200 || !isGrpc(this.#contentType);
  }

  get httpStatus(): number | undefined {
    return this.#httpStatus;
  }

  get grpcStatus(): number | undefined {
    return this.#grpcStatus;
  }

  get grpcMessage(): string | undefined {
    return this.#grpcMessage;
  }

  /** Enough has been kept of a body that is not gRPC. */
  get isBodyKept(): boolean {
    return this.#body.length >= FOREIGN_BYTES;
  }

  hearHeaders(headers: IncomingHttpHeaders): void {
    this.headers = metadataOf(headers);
    this.#httpStatus = Number(headers[":status"]);
    this.#contentType = headers["content-type"];
    this.#server = single(headers["server"]);
    this.#dateAt = parseInstant(single(headers["date"]) ?? "");
    // In a trailers-only answer the status is here; with messages to come servers do not send it.
    this.#hearStatus(headers);
  }

  hearTrailers(trailers: IncomingHttpHeaders): void {
    this.trailers = metadataOf(trailers);
    this.#hearStatus(trailers);
  }

  hearBody(chunk: Uint8Array): void {
    if (this.isBodyKept) return;
    this.#body = Buffer.concat([this.#body, chunk]).subarray(0, FOREIGN_BYTES);
  }

  /** The facts of this answer; those of its body only where it is not gRPC. */
  facts(isText: boolean): RpcFacts {
    const start = isText ? maskText(bodyStart(this.#body), this.#shown) : "";
    return present({
      path: this.path,
      httpStatus: this.#httpStatus,
      contentType: brief(this.#contentType),
      serverHeader: brief(this.#server),
      dateAt: this.#dateAt,
      grpcStatus: this.#grpcStatus,
      grpcMessage: this.#grpcMessage,
      bodyStart: start === "" ? undefined : start,
      decodedSize: isText ? decodedSize(this.#body) : undefined,
      resetCode: this.resetCode,
    });
  }

  #hearStatus(headers: IncomingHttpHeaders): void {
    const status = single(headers["grpc-status"]);
    if (status === undefined || !/^\d{1,9}$/.test(status)) return;
    this.#grpcStatus = Number(status);
    const message = single(headers["grpc-message"]);
    if (message !== undefined && message !== "")
      this.#grpcMessage = maskText(percentDecode(message), this.#shown);
  }
}

/** Source: grpc/grpc doc/PROTOCOL-HTTP2.md; `application/grpc-web` is another protocol. */
function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+;]|$)/i.test(contentType);
}

function metadataOf(headers: IncomingHttpHeaders): Metadata {
  return Object.entries(headers).flatMap(([key, value]) => {
    if (key.startsWith(":") || value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map((one) => [key, one] as const);
  });
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}

function brief(text: string | undefined): string | undefined {
  return text === undefined ? undefined : maskText(text).slice(0, MOST_HEADER_TEXT);
}

/**
 * Decodes a `grpc-message`. What is no valid escape stays as it is, as the protocol asks.
 * Source: grpc/grpc doc/PROTOCOL-HTTP2.md, "Percent-Encoded".
 */
export function percentDecode(text: string): string {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const decoded = bytes.replaceAll(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1").toString("utf8");
}

/** Source: grpc/grpc doc/http-grpc-status-mapping.md. */
export function statusOfHttp(httpStatus: number): StatusName {
  switch (httpStatus) {
    case 400:
      return "INTERNAL";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "UNIMPLEMENTED";
    case 429:
    case 502:
    case 503:
    case 504:
      return "UNAVAILABLE";
    default:
      return "UNKNOWN";
  }
}

/** Source: grpc/grpc doc/PROTOCOL-HTTP2.md, "Errors". */
export function statusOfReset(resetCode: number): StatusName {
  switch (resetCode) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return "UNAVAILABLE";
    case constants.NGHTTP2_CANCEL:
      return "CANCELLED";
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return "RESOURCE_EXHAUSTED";
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return "PERMISSION_DENIED";
    default:
      return "INTERNAL";
  }
}
