import { defaultSettings } from "../../src/config/defaults.ts";
import type { Finding, FindingsReport } from "../../src/model/finding.ts";
import type { Settings } from "../../src/model/settings.ts";
import type { Snapshot } from "../../src/model/snapshot.ts";
import { RECORDS } from "../config/records.ts";

export const AT = Date.parse("2027-01-15T10:00:00Z");

export function aFinding(change: Partial<Finding> = {}): Finding {
  return {
    code: "dns-stale",
    severity: "critical",
    target: "app",
    subject: { name: "orders.shop.svc" },
    summary: "DNS last returned 10.0.0.1 60 s ago, yet the app still uses it",
    evidence: { staleAddresses: ["10.0.0.1"], absentSeconds: 60.0012, isDead: true },
    changed: [{ what: "dns", from: "10.0.0.1", to: "10.0.0.9", at: AT }],
    remedy: "Give the servers a maximum connection age, so that clients resolve again.",
    docs: "https://example/findings/dns-stale",
    firstSeen: AT,
    lastSeen: AT,
    count: 3,
    consequences: ["deadline-storm"],
    witnesses: ["dns"],
    ...change,
  };
}

export function aReport(change: Partial<FindingsReport> = {}): FindingsReport {
  return {
    generatedAt: AT,
    targets: [{ name: "app", state: "watched", epoch: 1 }],
    active: [],
    pending: [],
    recent: [],
    suppressed: [],
    unjudged: [],
    capabilities: [],
    ...change,
  };
}

export function someSettings(): Settings {
  const parsed = defaultSettings({ address: "localhost:50051", detectors: RECORDS });
  return "value" in parsed ? parsed.value : raise();
}

function raise(): never {
  throw new Error("the address of the test is bad");
}

export const SNAPSHOT: Snapshot = {
  takenAt: AT,
  targets: {
    app: {
      state: "watched",
      epoch: 1,
      epochSince: AT,
      timingTrusted: true,
      capabilities: [],
      baselines: {},
      facts: {
        health: {
          state: "known",
          at: AT,
          value: {
            services: {
              "": {
                status: "SERVING",
                sinceAt: AT,
                via: "watch",
                everServing: true,
                everKnown: true,
                transitions: [],
                unknownInRow: 0,
              },
            },
          },
        },
        xray: {
          state: "known",
          at: AT,
          value: {
            latest: {
              at: AT,
              outcome: "passed",
              phaseMs: { tcp: 0.31234, http2: 1.2, rpc: 2 },
              dials: [{ at: AT, address: "127.0.0.1:50051", family: "ipv4", outcome: "connected" }],
              spoke: "plaintext",
              settings: { maxConcurrentStreams: 100 },
            },
            same: { since: AT, lastAt: AT, count: 1 },
            everHttp2: true,
            lastLimits: [100],
          },
        },
      },
    },
  },
};
