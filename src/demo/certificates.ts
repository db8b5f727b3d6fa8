import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { CertificateName } from "./faults.ts";

/** PEM texts. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface DemoCertificates {
  readonly ca: string;
  readonly leaves: Readonly<Record<CertificateName, KeyPair>>;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** The name that clients of the TLS service use. */
export const AUTHORITY = "payments.demo.svc";

/** Makes a CA and three leaves: a good one, one for another name, one that expired yesterday. */
export async function makeCertificates(now: number): Promise<DemoCertificates> {
  x509.cryptoProvider.set(webcrypto);
  const caKeys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=grpc-doctor demo CA",
    keys: caKeys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(now - 400 * DAY_MS),
    notAfter: new Date(now + 400 * DAY_MS),
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  const leaf = async (name: string, fromDays: number, toDays: number): Promise<KeyPair> => {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(now + fromDays * DAY_MS),
      notAfter: new Date(now + toDays * DAY_MS),
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
    });
    return { certificate: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
  };
  return {
    ca: ca.toString("pem"),
    leaves: {
      good: await leaf(AUTHORITY, -1, 90),
      "other-name": await leaf("billing.demo.svc", -1, 90),
      expired: await leaf(AUTHORITY, -91, -1),
    },
  };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
