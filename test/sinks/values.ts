import type { Finding, FindingChange } from "../../src/model/finding.ts";
import type { Json } from "../../src/model/json.ts";
import { rfc3339 } from "../../src/model/time.ts";

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

/** The shape of the findings document, as far as a sink can tell. */
export function findingObject(finding: Finding): Readonly<Record<string, Json>> {
  const { code, severity, target, subject, summary, evidence, remedy, docs } = finding;
  const { count, firstSeen, consequences } = finding;
  return {
    ...{ code, severity, target, subject, summary, evidence, changed: [], remedy, docs },
    ...{ firstSeen: rfc3339(firstSeen), count, consequences },
  };
}
