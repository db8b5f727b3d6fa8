import type { DetectorRecord } from "../../src/model/detector-record.ts";

const rest = { severity: "warning", remedy: "Do it.", needs: [], uses: [] } as const;

/** One code for each unit of a limit, each state, and each kind of layer. */
export const RECORDS: readonly DetectorRecord[] = [
  {
    ...rest,
    code: "dns-stale",
    title: "Connected to an address that DNS no longer returns",
    layer: "dns",
    holdMs: 0,
    clearAfterMs: 120_000,
    limits: {
      absent: {
        unit: "ms",
        default: 60_000,
        min: 10_000,
        max: 3_600_000,
        says: "Absence that is accepted",
      },
    },
  },
  {
    ...rest,
    code: "deadline-storm",
    title: "Calls run into their deadlines",
    layer: "handler",
    holdMs: 30_000,
    clearAfterMs: 30_000,
    limits: {
      ratio: { unit: "ratio", default: 0.05, min: 0.001, max: 1, says: "Share of the calls" },
      calls: {
        unit: "count",
        default: 20,
        min: 1,
        max: 10_000,
        says: "Calls in the window, at least",
      },
      size: {
        unit: "bytes",
        default: 65_536,
        min: 1024,
        max: 1_048_576,
        says: "Size that is accepted",
      },
    },
  },
  {
    ...rest,
    code: "traffic-stopped",
    title: "No calls arrive",
    layer: "handler",
    onByDefault: false,
    holdMs: 60_000,
    clearAfterMs: 60_000,
    limits: {},
  },
  {
    ...rest,
    code: "config-rejected",
    title: "The newest configuration was refused",
    layer: "agent",
    holdMs: 0,
    clearAfterMs: 60_000,
    limits: {},
  },
];
