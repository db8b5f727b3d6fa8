import { onceConfirmed } from "../model/facts/xray.ts";
import { isBehindMesh } from "../model/handshake.ts";
import { present } from "../model/present.ts";
import type { SniffResult, TlsFacts, XrayReport } from "../model/xray.ts";
import { appFrozen } from "./app-frozen.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { connectionRefused } from "./connection-refused.ts";
import { defineDetector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";

/** What the sniff may hear that contradicts the expectation. */
const CONTRADICTIONS: Readonly<Record<"plaintext" | "tls", readonly SniffResult["found"][]>> = {
  tls: ["h2c", "http1"],
  plaintext: ["tls"],
};

const SPOKEN: Readonly<Partial<Record<SniffResult["found"], string>>> = {
  h2c: "HTTP/2 in clear",
  http1: "HTTP/1 in clear",
  tls: "TLS",
};

/**
 * One side speaks TLS, the other does not.
 *
 * No client names it: "Socket closed", "Failed to connect", "Network closed for unknown reason". The
 * server's own first bytes do. Without an expectation the sniff decides how we speak, and nobody is
 * accused.
 *
 * Source: RFC 8446 section 5.1 (record types 21 and 22), RFC 9113 section 3.4 (preface).
 */
export const tlsPlaintextMismatch = defineDetector({
  code: "tls-plaintext-mismatch",
  title: "One side speaks TLS, the other plaintext",
  layer: "tls",
  severity: "critical",
  remedy:
    "Make both sides agree: credentials on the server and clients, or plaintext on both. The clients' texts do not name it.",
  needs: ["xray", "expectation"],
  uses: ["surroundings"],
  causes: [dnsFailing, connectionRefused, connectBlackholed, appFrozen],
  lacks: "a stated protocol, and an answer of the port from which it can be told, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  expects: {
    what: "`tls` of the target: a mapping, or off",
    isStated: ({ protocol }) => protocol !== undefined,
  },
  limits: {},

  detect({ xray, expectation, surroundings }) {
    const { protocol: expected } = expectation;
    if (expected === undefined || isBehindMesh({ expectation, surroundings })) return undefined;
    if (speaks(xray.latest, expected)) return [];
    const { sniff } = xray.latest;
    if (sniff === undefined) return undefined;
    if (!CONTRADICTIONS[expected].includes(sniff.found)) return [];
    return onceConfirmed(xray, [symptomOf(expected, sniff)]);
  },
});

/** The expected protocol was heard: such a port may speak both. */
function speaks({ tls, settings }: XrayReport, expected: "plaintext" | "tls"): boolean {
  return expected === "tls" ? tls !== undefined && hasAnswered(tls) : settings !== undefined;
}

/** The server sent TLS records of its own. */
function hasAnswered({ version, alert, chain }: TlsFacts): boolean {
  return version !== undefined || alert !== undefined || chain.length > 0;
}

function symptomOf(expected: "plaintext" | "tls", { found, firstOctets }: SniffResult) {
  return {
    subject: {},
    witnesses: ["preflight"] as const,
    isDeterministic: true,
    summary: `${expected === "tls" ? "TLS" : "Plaintext"} is expected, but the server speaks ${SPOKEN[found]}`,
    evidence: present({ expected, found, firstOctets }),
  };
}
