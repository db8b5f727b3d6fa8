import "reflect-metadata";
import { type webcrypto as crypto, webcrypto } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** A certificate with its key, as PEM; and what it takes to issue others from it. */
export interface Issued {
  /** This certificate alone. */
  readonly cert: string;
  readonly key: string;
  /** SHA-256 over the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: string;
  readonly keys: crypto.CryptoKeyPair;
}

export interface CertificateOptions {
  /** Common name; default `test`. */
  readonly name?: string;
  /** Who signs; absent = self-signed. */
  readonly issuer?: Issued;
  readonly isCa?: boolean;
  /** Subject alternative names; absent = no such extension at all. */
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  /** Days from now, may be negative; default −1 and 30. */
  readonly fromDays?: number;
  readonly toDays?: number;
  /** Extended key usage; default both. */
  readonly usage?: readonly ("server" | "client")[];
  /** Keys of another certificate: a renewal or a cross-signature. */
  readonly keys?: crypto.CryptoKeyPair;
}

/** Issues one certificate; an ECDSA P-256 key takes a millisecond. */
export async function issue(options: CertificateOptions = {}): Promise<Issued> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = options.keys ?? (await newKeys());
  const subject = `CN=${options.name ?? "test"}`;
  // Certificates hold whole seconds.
  const now = Math.floor(Date.now() / 1000) * 1000;
  const notBefore = now + (options.fromDays ?? -1) * DAY_MS;
  const notAfter = now + (options.toDays ?? 30) * DAY_MS;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString("hex"),
    subject,
    issuer: options.issuer?.subject ?? subject,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    publicKey: keys.publicKey as CryptoKey,
    signingKey: (options.issuer?.keys ?? keys).privateKey as CryptoKey,
    signingAlgorithm: ALGORITHM,
    extensions: extensions(options),
  });
  const fingerprint = await webcrypto.subtle.digest("SHA-256", certificate.rawData);
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: certificate.toString("pem"),
    key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"),
    fingerprint: Buffer.from(fingerprint).toString("hex"),
    notBefore,
    notAfter,
    subject,
    keys,
  };
}

/** A self-signed certificate authority. */
export function issueCa(options: CertificateOptions = {}): Promise<Issued> {
  return issue({ name: "test ca", toDays: 365, ...options, isCa: true });
}

export async function newKeys(): Promise<crypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ])) as crypto.CryptoKeyPair;
}

/** Certificates one after the other, as a server sends them and a bundle holds them. */
export function bundle(...certificates: readonly Issued[]): string {
  return certificates.map((one) => `${one.cert.trim()}\n`).join("");
}

/** Writes files into a new directory; `remove` deletes it. */
export async function writeFiles<Name extends string>(
  contents: Readonly<Record<Name, string>>,
): Promise<{ readonly paths: Readonly<Record<Name, string>>; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "files-"));
  const names = Object.keys(contents) as Name[];
  await Promise.all(names.map((name) => writeFile(join(directory, name), contents[name])));
  const paths = Object.fromEntries(names.map((name) => [name, join(directory, name)]));
  return {
    paths: paths as Record<Name, string>,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

type CryptoKey = Parameters<typeof webcrypto.subtle.exportKey>[1];

function extensions(options: CertificateOptions): x509.Extension[] {
  const names = [
    ...(options.dns ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(options.ip ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const usages = (options.usage ?? ["server", "client"]).map((usage) =>
    usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
  );
  const flags = x509.KeyUsageFlags;
  return [
    new x509.BasicConstraintsExtension(options.isCa === true, undefined, true),
    options.isCa === true
      ? new x509.KeyUsagesExtension(flags.keyCertSign | flags.cRLSign, true)
      : new x509.KeyUsagesExtension(flags.digitalSignature, true),
    ...(options.isCa === true ? [] : [new x509.ExtendedKeyUsageExtension(usages)]),
    ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
  ];
}
