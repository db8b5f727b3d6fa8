import { open } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { present } from "../model/present.ts";
import type { MetadataEntry, Target } from "../model/target.ts";
import { readBundle } from "../net/certificate.ts";
import type { TlsMaterial } from "../net/handshake.ts";
import { CallError } from "./call-error.ts";
import type { Metadata } from "./transport.ts";

/** Bundles of system roots are a quarter of this. */
const MOST_FILE_BYTES = 1024 * 1024;

/** What HTTP/2 and gRPC allow in a value. Source: doc/PROTOCOL-HTTP2.md, "ASCII-Value". */
const ASCII_VALUE = /^[\x20-\x7e]*$/;

/** What we show to a server: its metadata on every call, its TLS material on the handshake. */
export interface Credentials {
  readonly metadata: Metadata;
  /** Empty where nothing is configured. */
  readonly tls: TlsMaterial;
}

/**
 * Reads a target's credentials, anew for every fresh connection, so that a rotated token or certificate
 * is used without a reload. Throws a `CallError` with reason `credentials` and the system's word, never
 * the content, where a file is missing or holds what it cannot.
 */
export async function readCredentials(target: Target): Promise<Credentials> {
  const metadata = await Promise.all(target.metadata.map(readEntry));
  return { metadata, tls: await readTls(target) };
}

async function readEntry({ key, value }: MetadataEntry): Promise<readonly [string, string]> {
  const text =
    value.kind === "literal" ? value.value : value.prefix + (await readText(value.path)).trim();
  if (!ASCII_VALUE.test(text)) throw refused(new Error(`metadata ${key}: not a header value`));
  return [key, text];
}

async function readTls({ tls }: Target): Promise<TlsMaterial> {
  if (tls?.mode !== "tls") return {};
  const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map(readOptional));
  if (ca !== undefined && readBundle(ca).length === 0) {
    throw refused(new Error(`${tls.ca}: no certificate in it`));
  }
  const material = present({ ca, cert, key });
  try {
    // Tells a broken certificate, and a key that is not its own.
    createSecureContext({ ...material, ca: [] });
  } catch (thrown) {
    throw refused(thrown);
  }
  return material;
}

async function readOptional(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : readText(path);
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    // One byte more than allowed tells that it is too long; a device would have no end.
    const bytes = await collect(file.createReadStream({ end: MOST_FILE_BYTES }));
    if (bytes.length > MOST_FILE_BYTES) throw new Error(`${path}: over ${MOST_FILE_BYTES} bytes`);
    return bytes.toString("utf8");
  } catch (thrown) {
    throw refused(thrown);
  }
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function refused(thrown: unknown): CallError {
  const { errno } = CallError.from(thrown, "tls").fault;
  return new CallError({
    phase: "tls",
    reason: "credentials",
    ...(errno === undefined ? {} : { errno }),
    cause: thrown,
  });
}
