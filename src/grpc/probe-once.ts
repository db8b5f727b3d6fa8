import type { ProbeSpec } from "../model/probe-spec.ts";
import type { Target } from "../model/target.ts";
import type { Clock, Random } from "../model/time.ts";
import { createNameResolver } from "../net/resolve.ts";
import { connectOnce } from "./connect-once.ts";
import { createOwnCalls } from "./own-calls.ts";
import { type ProbeResult, type ProbeRun, ProbeRunner } from "./probe-run.ts";
import type { Connection } from "./transport.ts";

export interface ProbeOnceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Of the whole run, reflection included. */
  readonly signal: AbortSignal;
  readonly heard?: ProbeRun["heard"];
}

/** One run of one RPC for a person who waits, with its trace id. Leaves no connection behind. */
export async function probeOnce(
  spec: ProbeSpec,
  target: Target,
  options: ProbeOnceOptions,
): Promise<{ readonly result: ProbeResult; readonly traceId: string }> {
  const { clock, random, signal, heard } = options;
  let opened: Promise<Connection> | undefined;
  const runner = new ProbeRunner({
    clock,
    resolver: createNameResolver({ clock }),
    ownCalls: createOwnCalls(),
    keptConnection: () => (opened ??= connectOnce(target, { clock, signal, isVerified: true })),
  });
  const traceId = hex(random, 16);
  const traceparent = `00-${traceId}-${hex(random, 8)}-01`;
  const once: ProbeSpec = { ...spec, connection: "fresh" };
  try {
    const run = { spec: once, target, signal, traceparent, ...(heard && { heard }) };
    return { result: await runner.run(run), traceId };
  } finally {
    runner.close();
    // What could not be opened needs no closing; the run has told why.
    const connection = await opened?.catch(() => undefined);
    connection?.close();
    await connection?.ended;
  }
}

function hex(random: Random, bytes: number): string {
  const drawn = Array.from({ length: bytes }, () => Math.floor(random() * 256));
  return Buffer.from(drawn).toString("hex");
}
