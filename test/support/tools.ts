import { createOwnCalls } from "../../src/grpc/own-calls.ts";
import { createSocketTable } from "../../src/host/socket-table.ts";
import type { JobOf } from "../../src/model/job.ts";
import type { Observation } from "../../src/model/observation.ts";
import type { SourceName } from "../../src/model/source-name.ts";
import type { Target } from "../../src/model/target.ts";
import { createNameResolver } from "../../src/net/resolve.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import type { Source, Tools } from "../../src/sources/source.ts";

/** What a source may use, over the real world; a test states only what matters to it. */
export function aTools(change: Partial<Tools> = {}): Tools {
  return {
    clock: systemClock,
    random: () => 0.5,
    keptConnection: () => Promise.reject(new Error("this test keeps no connection")),
    socketTable: createSocketTable({ clock: systemClock }),
    resolver: createNameResolver({ clock: systemClock }),
    ownCalls: createOwnCalls(),
    keep: (_paths, read) => read(),
    ownPorts: () => new Set(),
    ownListeners: [],
    ...change,
  };
}

const TARGET: Target = {
  name: "app",
  role: "app",
  address: "127.0.0.1:50051",
  endpoint: { kind: "ip", host: "127.0.0.1", port: 50051 },
  metadata: [],
  health: { services: [""], expect: "SERVING" },
  startupMs: 600_000,
};

/** Everything that one run of a source yields. */
export async function observe<S extends SourceName>(
  source: Source<S>,
  job: JobOf<S>,
  tools: Tools,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly Observation[]> {
  const run = { job, target: { ...TARGET, name: job.target }, signal, scheduleLagMs: 0 };
  const observations: Observation[] = [];
  for await (const observation of source.observe(run, tools)) observations.push(observation);
  return observations;
}
