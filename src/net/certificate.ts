import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { present } from "../model/present.ts";
import type { Instant } from "../model/time.ts";
import type { CertificateFacts, TlsFacts } from "../model/xray.ts";
import { dates, fingerprintOf, isSelfSigned, pathFacts, spareOf } from "./certificate-path.ts";

const MOST_FACTS = 10;
const MOST_SENT = 100;
const MOST_NAMES = 100;
/** Ten thousand hold the event loop for a tenth of a second; certificates that are bought have 250. */
const MOST_NAMES_READ = 2_000;
const MOST_TEXT = 200;
/** A bundle of system roots has about 150. */
const MOST_BUNDLED = 1000;

/** The chain as it was sent, leaf first; at most 100. Node links what the peer sent, in that order. */
export function sentChain(leaf: X509Certificate | undefined): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let next = leaf; next !== undefined && chain.length < MOST_SENT; ) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** The facts of one certificate, whatever anybody thinks of it. */
export function certificateFacts(certificate: X509Certificate): CertificateFacts {
  return {
    fingerprint: fingerprintOf(certificate),
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    ...dates(certificate),
    isSelfSigned: isSelfSigned(certificate),
    isCa: certificate.ca,
  };
}

/** Algorithm of its key, in OpenSSL's words; `undefined` where this Node does not know it. */
export function keyTypeOf(certificate: X509Certificate): string | undefined {
  try {
    return certificate.publicKey.asymmetricKeyType;
  } catch {
    // A key of an unknown algorithm or a broken one: the other facts of the certificate still hold.
    return undefined;
  }
}

/** Every certificate of a PEM text, in order; blocks that cannot be parsed are left out. */
export function readBundle(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(PEM_BLOCK) ?? [];
  return blocks.slice(0, MOST_BUNDLED).flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      // One broken block does not make the rest unreadable; clients skip it too.
      return [];
    }
  });
}

const PEM_BLOCK =
  /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g;

export interface Judges {
  /** `host` or `host:port` that clients use; absent = no name is judged. */
  readonly authority?: string;
  /** What the clients trust; absent = no issuer is judged. */
  readonly bundle?: readonly X509Certificate[];
  readonly now: Instant;
}

type ChainFacts = Pick<
  TlsFacts,
  | "chain"
  | "sentCertificates"
  | "sans"
  | "hasSans"
  | "leafKeyType"
  | "coversAuthority"
  | "path"
  | "pathFailsByDate"
  | "bundleCertificates"
>;

/**
 * The facts of a sent chain. Each is found apart from the others, as a verifier's error names only the
 * first: a name is judged on an expired certificate of an unknown issuer too.
 */
export function chainFacts(sent: readonly X509Certificate[], judges: Judges): ChainFacts {
  const [leaf] = sent;
  const { authority, bundle, now } = judges;
  const names = leaf === undefined ? [] : alternativeNames(leaf);
  const spare = spareOf(sent, { bundle, now });
  return {
    chain: sent.slice(0, MOST_FACTS).map((certificate) => ({
      ...certificateFacts(certificate),
      ...(spare.has(certificate) ? { isSpare: true } : {}),
    })),
    sentCertificates: sent.length,
    sans: names.slice(0, MOST_NAMES),
    hasSans: leaf?.subjectAltName !== undefined,
    ...present({ leafKeyType: leaf && keyTypeOf(leaf) }),
    ...(leaf === undefined || authority === undefined ? {} : nameFacts(names, authority)),
    ...(bundle === undefined ? {} : { bundleCertificates: bundle.length }),
    ...(bundle === undefined || leaf === undefined ? {} : pathFacts(sent, { bundle, now })),
  };
}

/** Of names that were not read nobody knows what they cover. */
function nameFacts(names: readonly string[], authority: string): Pick<TlsFacts, "coversAuthority"> {
  const covers = coversAuthority(names, authority);
  return covers || !isCut(names) ? { coversAuthority: covers } : {};
}

/**
 * True where one of these names covers the authority: by the names alone, never by the common name,
 * which Go and browsers no longer read. A wildcard stands for exactly one label, the leftmost.
 * Source: RFC 9525 section 6.3.
 */
export function coversAuthority(names: readonly string[], authority: string): boolean {
  const host = hostOf(authority);
  if (isIP(host) !== 0) return names.some((name) => normalIp(name) === normalIp(host));
  const wanted = normalName(host);
  const parent = wanted.slice(wanted.indexOf(".") + 1);
  return names.some((name) => {
    const offered = normalName(name);
    return offered === wanted || (wanted.includes(".") && offered === `*.${parent}`);
  });
}

/** The host of an authority, without port and brackets. */
export function hostOf(authority: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(authority)?.[1];
  if (bracketed !== undefined) return bracketed;
  return isIP(authority) !== 0 ? authority : authority.replace(/:\d+$/, "");
}

/**
 * The host of an authority as TLS names it: without the dot that ends a whole name of DNS, with which
 * servers refuse it. Source: RFC 6066 section 3.
 */
export function tlsNameOf(authority: string): string {
  return hostOf(authority).replace(/\.$/, "");
}

function normalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** One spelling per address: the URL parser compresses IPv6. */
function normalIp(text: string): string | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  return version === 4 ? text : new URL(`http://[${text}]`).hostname;
}

/** Names of Node's list: values with special characters are quoted as JSON strings. */
const ALTERNATIVE_NAME = /(?:^|, )(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g;

function alternativeNames(leaf: X509Certificate): readonly string[] {
  const names: string[] = [];
  for (const [, kind, value = ""] of (leaf.subjectAltName ?? "").matchAll(ALTERNATIVE_NAME)) {
    const name = printable(value);
    const isAddress = kind === "IP Address";
    // An address that is written as a DNS name covers nobody: it is shown as what it is.
    const asName = isIP(name) === 0 ? name : `DNS:${name}`;
    names.push(isAddress ? (normalIp(name)?.replace(/^\[(.*)\]$/, "$1") ?? name) : asName);
    if (isCut(names)) break;
  }
  return names;
}

function isCut(names: readonly string[]): boolean {
  return names.length >= MOST_NAMES_READ;
}

/** `CN=…, O=…` on one line. */
function distinguishedName(text: string): string {
  return printable(text.replaceAll("\n", ", "));
}

function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "").slice(0, MOST_TEXT);
}
