import type { Finding, FindingsReport } from "./finding.ts";
import type { Json } from "./json.ts";
import { rfc3339 } from "./time.ts";

/**
 * The findings document, `grpc-doctor/v1`: one shape for `/findings`, `check -o json` and
 * `status -o json` (design: HTTP). Instants are RFC 3339 in UTC; what is unknown is an absent key.
 */
export function findingsDocument(
  report: FindingsReport,
  identity: { readonly agent: string; readonly pod?: string },
): Json {
  const { agent, pod } = identity;
  return {
    schema: "grpc-doctor/v1",
    generatedAt: rfc3339(report.generatedAt),
    agent,
    ...(pod === undefined ? {} : { pod }),
    targets: report.targets.map(({ name, state, epoch }) => ({ name, state, epoch })),
    active: report.active.map(findingDocument),
    pending: report.pending.map(({ activeInSeconds, waitsFor, ...finding }) => ({
      ...findingDocument(finding),
      activeInSeconds,
      ...(waitsFor === undefined ? {} : { waitsFor }),
    })),
    recent: report.recent.map(({ resolvedAt, ...finding }) => ({
      ...findingDocument(finding),
      resolvedAt: rfc3339(resolvedAt),
    })),
    suppressed: report.suppressed.map(({ because, ...finding }) => ({
      ...findingDocument(finding),
      because,
    })),
    unjudged: report.unjudged.map((unjudged) => ({ ...unjudged })),
    capabilities: report.capabilities.map(({ since, ...capability }) => ({
      ...capability,
      since: rfc3339(since),
    })),
  };
}

/** One finding as the document, the log line and the webhook show it. */
export function findingDocument(finding: Finding): { readonly [key: string]: Json } {
  const { code, severity, target, subject, summary, evidence, changed, remedy, docs } = finding;
  const { firstSeen, lastSeen, count, consequences, witnesses } = finding;
  const { traceId, spanId, isDrill } = finding;
  return {
    code,
    severity,
    target,
    subject,
    summary,
    evidence,
    changed: changed.map(({ what, from, to, at }) => ({ what, from, to, at: rfc3339(at) })),
    remedy,
    docs,
    firstSeen: rfc3339(firstSeen),
    lastSeen: rfc3339(lastSeen),
    count,
    consequences,
    witnesses,
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    ...(isDrill === undefined ? {} : { isDrill }),
  };
}
