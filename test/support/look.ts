import { type OpenedConnection, openConnection } from "../../src/grpc/connection.ts";
import { createOwnCalls } from "../../src/grpc/own-calls.ts";
import type { JobOf } from "../../src/model/job.ts";
import type { Observation } from "../../src/model/observation.ts";
import type { SourceName } from "../../src/model/source-name.ts";
import type { Target } from "../../src/model/target.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import type { Source, Tools } from "../../src/sources/source.ts";
import { aResolver } from "./targets.ts";
import { aTools } from "./tools.ts";

/** Sources looking at one target over one connection of ours, opened when it is first asked for. */
export interface Look {
  readonly tools: Tools;
  connection(): Promise<OpenedConnection>;
  /** Everything that one run yields. */
  run<S extends SourceName>(
    source: Source<S>,
    job: JobOf<S>,
    signal?: AbortSignal,
  ): Promise<readonly Observation[]>;
  /** The same as it comes. */
  stream<S extends SourceName>(
    source: Source<S>,
    job: JobOf<S>,
    signal?: AbortSignal,
  ): AsyncIterator<Observation>;
  /** Ends the connection; the next one asked for is another. */
  close(): Promise<void>;
}

export function aLook(target: Target, change: Partial<Tools> = {}): Look {
  const { clock = systemClock, ownCalls = createOwnCalls() } = change;
  let opened: Promise<OpenedConnection> | undefined;
  const ownPorts = new Set<number>();
  const connection = () => {
    opened ??= open();
    return opened;
  };
  const open = async () => {
    const fresh = await openConnection(target, {
      clock,
      signal: AbortSignal.timeout(5000),
      resolver: aResolver(),
      ownCalls: ownCalls.forTarget(target.name),
    });
    ownPorts.add(fresh.localPort ?? 0);
    return fresh;
  };
  const own = { ownCalls, ownPorts: () => ownPorts, keptConnection: connection };
  const tools = aTools({ ...own, ...change });
  const stream: Look["stream"] = (source, job, signal = new AbortController().signal) =>
    source.observe({ job, target, signal, scheduleLagMs: 0 }, tools)[Symbol.asyncIterator]();

  return {
    tools,
    connection,
    stream,
    run: async (source, job, signal) => {
      const observations: Observation[] = [];
      const iterator = stream(source, job, signal);
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        observations.push(next.value);
      }
      return observations;
    },
    close: async () => {
      const ending = opened;
      opened = undefined;
      const closing = await ending?.catch(() => undefined);
      closing?.close();
      await closing?.ended;
    },
  };
}
