import { expect, it } from "vitest";
import type { Finding } from "../../src/model/finding.ts";
import { findingsDocument } from "../../src/model/findings-document.ts";
import { NOW, SECOND } from "../support/snapshot.ts";

const finding: Finding = {
  code: "dns-stale",
  severity: "warning",
  target: "inventory",
  subject: { name: "inventory.shop.svc" },
  summary: "DNS last returned 10.0.0.1 61 s ago, yet the app still uses it",
  evidence: { absentSeconds: 61 },
  changed: [{ what: "dns", from: "10.0.0.1", to: "10.0.0.9", at: NOW - SECOND }],
  remedy: "Give the servers a maximum connection age.",
  docs: "https://example.com/dns-stale",
  firstSeen: NOW,
  lastSeen: NOW + SECOND,
  count: 2,
  consequences: ["probe-failing"],
  witnesses: ["dns", "kernel"],
};

const shown = {
  ...finding,
  changed: [{ what: "dns", from: "10.0.0.1", to: "10.0.0.9", at: "2026-01-15T11:59:59.000Z" }],
  firstSeen: "2026-01-15T12:00:00.000Z",
  lastSeen: "2026-01-15T12:00:01.000Z",
};

it("is one shape, in RFC 3339, without a key for what is unknown", () => {
  const report = {
    generatedAt: NOW,
    targets: [{ name: "app", state: "watched", epoch: 2 }],
    active: [finding],
    pending: [
      {
        ...finding,
        activeInSeconds: 12,
        waitsFor: ["dns-stale"],
        traceId: "t",
        spanId: "s",
        isDrill: true,
      },
    ],
    recent: [{ ...finding, resolvedAt: NOW }],
    suppressed: [{ ...finding, because: "connection-refused" }],
    unjudged: [{ target: "app", code: "stream-exhaustion", because: "channelz is not served" }],
    capabilities: [
      { target: "app", source: "channelz", available: false, reason: "UNIMPLEMENTED", since: NOW },
    ],
  } as const;
  expect(findingsDocument(report, { agent: "1.0.0", pod: "orders-7d9f" })).toEqual({
    schema: "grpc-doctor/v1",
    generatedAt: "2026-01-15T12:00:00.000Z",
    agent: "1.0.0",
    pod: "orders-7d9f",
    targets: [{ name: "app", state: "watched", epoch: 2 }],
    active: [shown],
    pending: [
      {
        ...shown,
        activeInSeconds: 12,
        waitsFor: ["dns-stale"],
        traceId: "t",
        spanId: "s",
        isDrill: true,
      },
    ],
    recent: [{ ...shown, resolvedAt: "2026-01-15T12:00:00.000Z" }],
    suppressed: [{ ...shown, because: "connection-refused" }],
    unjudged: report.unjudged,
    capabilities: [
      {
        target: "app",
        source: "channelz",
        available: false,
        reason: "UNIMPLEMENTED",
        since: "2026-01-15T12:00:00.000Z",
      },
    ],
  });
  expect(Object.keys(findingsDocument(report, { agent: "1.0.0" }) as object)).not.toContain("pod");
});
