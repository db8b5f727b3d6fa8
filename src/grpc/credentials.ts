import { open } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { present } from "../model/present.ts";
import type { MetadataEntry, Target, TlsExpectation } from "../model/target.ts";
import { readBundle } from "../net/certificate.ts";
import type { TlsMaterial } from "../net/handshake.ts";
import { CallError } from "./call-error.ts";
import type { Keep } from "./keep-whole.ts";
import type { Metadata } from "./transport.ts";

/** Bundles of system roots are a quarter of this. */
const MOST_FILE_BYTES = 1024 * 1024;

type TlsFiles = Extract<TlsExpectation, { readonly mode: "tls" }>;

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
 * is used without a reload; `keep` may go on with what they said before. Throws a `CallError` with
 * reason `credentials` and the system's word, never the content, where a file is missing, is half
 * written as far as can be told, or holds what it cannot.
 */
export async function readCredentials(
  target: Target,
  keep: Keep = (_paths, read) => read(),
): Promise<Credentials> {
  const metadata = await Promise.all(target.metadata.map((entry) => readEntry(entry, keep)));
  const { tls } = target;
  if (tls?.mode !== "tls") return { metadata, tls: {} };
  const paths = [tls.ca, tls.cert, tls.key].filter((path) => path !== undefined);
  return { metadata, tls: await keep(paths, () => readTls(tls)) };
}

async function readEntry(
  { key, value }: MetadataEntry,
  keep: Keep,
): Promise<readonly [string, string]> {
  if (value.kind === "literal") return [key, headerValue(key, value.value)];
  const { path, prefix } = value;
  const read = async () => headerValue(key, prefix + (await readToken(path)));
  return [key, await keep([path], read)];
}

function headerValue(key: string, text: string): string {
  if (!ASCII_VALUE.test(text)) throw refused(new Error(`metadata ${key}: not a header value`));
  return text;
}

async function readToken(path: string): Promise<string> {
  const text = (await readText(path)).trim();
  if (text === "") throw refused(new Error(`${path}: empty`));
  return text;
}

async function readTls(tls: TlsFiles): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map(readOptional));
  const bundle = ca === undefined ? undefined : bundleFault(ca);
  if (bundle !== undefined) throw refused(new Error(`${tls.ca}: ${bundle}`));
  const material = present({ ca, cert, key });
  try {
    tryPair(material);
  } catch (thrown) {
    throw refused(thrown);
  }
  return material;
}

/** Tells a broken certificate, and a key that is not its own. */
function tryPair({ cert, key }: PairTexts): void {
  createSecureContext(present({ cert, key, ca: [] }));
}

type PairTexts = Partial<Readonly<Record<"cert" | "key", string>>>;

/**
 * What no handshake can be made with, and why, in words of ours or OpenSSL's that show nothing of it;
 * `undefined` where nothing is wrong. Takes the files' texts.
 */
export function materialFault({
  ca,
  cert,
  key,
}: PairTexts & { readonly ca?: string }):
  | { readonly name: "ca" | "cert" | "key"; readonly fault: string }
  | undefined {
  const bundle = ca === undefined ? undefined : bundleFault(ca);
  if (bundle !== undefined) return { name: "ca", fault: bundle };
  const alone = [
    { name: "cert", pair: present({ cert }) },
    { name: "key", pair: present({ key }) },
    { name: "key", pair: present({ cert, key }) },
  ] as const;
  for (const { name, pair } of alone) {
    try {
      tryPair(pair);
    } catch (thrown) {
      return { name, fault: thrown instanceof Error ? thrown.message : "unusable" };
    }
  }
  return undefined;
}

function bundleFault(ca: string): string | undefined {
  if (isTorn(ca)) return "ends too early";
  return readBundle(ca).length === 0 ? "no certificate in it" : undefined;
}

/** Half a bundle has fewer issuers, and the server would be accused for those that are missing. */
function isTorn(pem: string): boolean {
  const count = (pattern: RegExp) => pem.match(pattern)?.length ?? 0;
  return count(/-----B/g) !== count(/-----END [A-Z0-9 ]+-----/g);
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
