import type { X509Certificate } from "node:crypto";
import { type Instant, parseInstant } from "../model/time.ts";
import type { TlsFacts } from "../model/xray.ts";

/** A chain has two or three; each that lasts longer than another asks for a path of its own. */
const MOST_IN_CHAIN = 10;

interface Trust {
  readonly bundle: readonly X509Certificate[];
  readonly now: Instant;
}

/** Whether a path leads from the leaf to the bundle, and whether only dates stand in its way. */
export function pathFacts(
  sent: readonly X509Certificate[],
  { bundle, now }: Trust,
): Pick<TlsFacts, "path" | "pathFailsByDate"> {
  const path = pathTo(bundle, sent);
  if (path === undefined) return {};
  if (path !== "ok") return { path, pathFailsByDate: false };
  const [leaf] = sent;
  const current = sent.filter((certificate) => isCurrent(certificate, now));
  const isByDate = current[0] !== leaf || (pathTo(bundle, current) ?? "ok") !== "ok";
  return { path, pathFailsByDate: isByDate };
}

/**
 * The sent certificates that clients do without for longer than they last: a renewed one of the same
 * authority and key is sent beside, or a path to `bundle` leads past them. Of many
 * certificates none is known.
 */
export function spareOf(
  sent: readonly X509Certificate[],
  { bundle, now }: { readonly bundle: Trust["bundle"] | undefined; readonly now: Instant },
): ReadonlySet<X509Certificate> {
  const [leaf, ...others] = sent;
  if (leaf === undefined || sent.length > MOST_IN_CHAIN) return new Set();
  const spare = others.filter((old) => {
    const lasting = others.filter(
      (other) => dates(other).notAfter > dates(old).notAfter && isCurrent(other, now),
    );
    const isRenewed = lasting.some((other) => isSameAuthority(other, old));
    return isRenewed || (bundle !== undefined && pathTo(bundle, [leaf, ...lasting]) === "ok");
  });
  return new Set(spare);
}

/** Whatever the one has signed, and whoever has signed it, is the other's as well. */
function isSameAuthority(one: X509Certificate, other: X509Certificate): boolean {
  if (one.subject !== other.subject || one.issuer !== other.issuer) return false;
  try {
    return one.publicKey.equals(other.publicKey);
  } catch {
    return false; // keys that nobody can read are not known to be the same
  }
}

/**
 * Signatures that are checked in search of one path: a chain of namesakes would ask for ten thousand. Go
 * gives up at as many. Source: crypto/x509, `maxChainSignatureChecks`.
 */
const MOST_SIGNATURES = 100;

/**
 * "ok" where a path leads from the leaf over sent certificates to one of the bundle, dates ignored; else
 * OpenSSL's code. Any certificate of the bundle ends a path, as Go has it; OpenSSL wants a self-signed
 * one. Every way is tried: a cross-signature may lie beside the good path. `undefined` where there were
 * too many to try: nothing is known then.
 */
function pathTo(
  bundle: readonly X509Certificate[],
  sent: readonly X509Certificate[],
): string | undefined {
  const trusted = new Set(bundle.map(fingerprintOf));
  const [leaf, ...others] = sent;
  if (leaf === undefined) return "UNABLE_TO_GET_ISSUER_CERT_LOCALLY";
  let left = MOST_SIGNATURES;
  const isIssuer = (issuer: X509Certificate, certificate: X509Certificate) =>
    certificate.checkIssued(issuer) && left-- > 0 && isSignedBy(certificate, issuer);
  const seen = new Set<X509Certificate>([leaf]);
  const waiting = [leaf];
  // Each sent certificate is looked at once, so a chain of a hundred costs bounded work.
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const from = one;
    if (trusted.has(fingerprintOf(from)) || bundle.some((root) => isIssuer(root, from)))
      return "ok";
    for (const issuer of others.filter((other) => !seen.has(other) && isIssuer(other, from))) {
      seen.add(issuer);
      waiting.push(issuer);
    }
    if (left < 0) return undefined;
  }
  const isRekeyed = [...seen].some((one) => bundle.some((root) => root.subject === one.issuer));
  return failureOf(leaf, [...seen], isRekeyed);
}

/** `isRekeyed`: the bundle has an issuer of that name, whose key has signed none of them. */
function failureOf(
  leaf: X509Certificate,
  reached: readonly X509Certificate[],
  isRekeyed: boolean,
): string {
  if (isSelfSigned(leaf)) return "DEPTH_ZERO_SELF_SIGNED_CERT";
  if (isRekeyed) return "CERT_SIGNATURE_FAILURE";
  if (reached.length === 1) return "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
  const isEndedByRoot = reached.some(isSelfSigned);
  return isEndedByRoot ? "SELF_SIGNED_CERT_IN_CHAIN" : "UNABLE_TO_GET_ISSUER_CERT_LOCALLY";
}

/** `checkIssued` would not do: it asks for the usage of an authority, which such a leaf may lack. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  const { subject, issuer } = certificate;
  return subject === issuer && isSignedBy(certificate, certificate);
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false; // a key that nobody can read has signed nothing
  }
}

function isCurrent(certificate: X509Certificate, now: Instant): boolean {
  const { notBefore, notAfter } = dates(certificate);
  return notBefore <= now && now <= notAfter;
}

/** A date that cannot be read is no reason to accuse: it stands at the end that accuses nobody. */
export function dates(certificate: X509Certificate): { notBefore: Instant; notAfter: Instant } {
  return {
    notBefore: parseInstant(certificate.validFrom) ?? 0,
    notAfter: parseInstant(certificate.validTo) ?? NEVER,
  };
}

/** 9999-12-31T23:59:59Z, which certificates use for "no end". Source: RFC 5280 section 4.1.2.5. */
const NEVER: Instant = 253_402_300_799_000;

/** SHA-256 over the DER, lower-case hex. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}
