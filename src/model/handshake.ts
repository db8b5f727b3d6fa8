import { type SentCertificate, sentCertificates } from "./certificate-evidence.ts";
import type { Expectation } from "./facts/expectation.ts";
import type { Surroundings } from "./facts/surroundings.ts";
import { onceConfirmed, type Xray } from "./facts/xray.ts";
import type { Symptom } from "./finding.ts";
import type { TlsFacts } from "./xray.ts";

/** What every verdict about a handshake is made of. */
export interface HandshakeFacts {
  readonly xray: Xray;
  readonly expectation: Expectation;
  readonly surroundings: Surroundings | undefined;
}

/** True where a mesh proxy stands between us and an upstream: what we meet is the proxy's. */
export function isBehindMesh({
  expectation,
  surroundings,
}: Pick<HandshakeFacts, "expectation" | "surroundings">): boolean {
  return expectation.role === "upstream" && surroundings?.mesh === true;
}

/**
 * What a fresh handshake convicts of. Nothing where the server speaks plaintext; not judged where no
 * handshake was seen, where a mesh makes it, and until it was seen twice.
 */
export function judgeHandshake(
  facts: HandshakeFacts,
  find: (tls: TlsFacts) => readonly Symptom[] | undefined,
): readonly Symptom[] | undefined {
  const { tls, spoke } = facts.xray.latest;
  if (isBehindMesh(facts)) return undefined;
  if (tls === undefined) return spoke === "plaintext" ? [] : undefined;
  const found = find(tls);
  return found === undefined ? undefined : onceConfirmed(facts.xray, found);
}

/** The same of the certificates that were sent; not judged where none was received. */
export function judgeCertificates(
  facts: HandshakeFacts,
  find: (tls: TlsFacts, leaf: SentCertificate) => readonly Symptom[] | undefined,
): readonly Symptom[] | undefined {
  return judgeHandshake(facts, (tls) => {
    const [leaf] = sentCertificates(tls);
    return leaf === undefined ? undefined : find(tls, leaf);
  });
}
