/** The phases of one connection, in the order in which they happen. */
export const PHASES = ["dns", "tcp", "tls", "http2", "rpc"] as const;

export type Phase = (typeof PHASES)[number];

/** Where a probe can fail: a phase of its connection, or an assertion about the answer. */
export type ProbePhase = Phase | "assert";
