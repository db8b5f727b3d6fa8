import type { Finding, FindingChange } from "../../src/model/finding.ts";

/** 2027-01-15T08:00:00Z */
export const NOW = 1_800_000_000_000;

export function aFinding(change: Partial<Finding> = {}): Finding {
  return {
    code: "tls-san-mismatch",
    severity: "critical",
    target: "app",
    subject: { name: "orders.shop.svc" },
    summary: "The certificate covers orders.internal, not orders.shop.svc",
    evidence: { authority: "orders.shop.svc", sans: ["orders.internal"] },
    changed: [],
    remedy: "Issue a certificate that covers orders.shop.svc.",
    docs: "https://example.test/findings/tls-san-mismatch",
    firstSeen: NOW,
    lastSeen: NOW,
    count: 1,
    consequences: [],
    witnesses: ["preflight"],
    ...change,
  };
}

export function aChange(change: Partial<FindingChange> = {}): FindingChange {
  return { transition: "opened", at: NOW, finding: aFinding(), ...change };
}
