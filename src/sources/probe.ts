import type { ClientReply } from "../grpc/client.ts";
import type { Missing } from "../grpc/missing.ts";
import type { ProbeResult, ProbeRunner } from "../grpc/probe-run.ts";
import type { Observation, ProbeObservation } from "../model/observation.ts";
import type { Random } from "../model/time.ts";
import { defineSource, type Run, type Tools } from "./source.ts";

/** One runner for each set of tools: it holds the kept channels. */
const runners = new WeakMap<Tools, Promise<ProbeRunner>>();
/** Capabilities that were told, so that each change is told once. */
const told = new WeakMap<Tools, Map<string, string>>();

/**
 * Makes one configured RPC, as the users' clients would: status, latency, phases and assertions.
 *
 * What the server will not do for us (no credentials, no descriptors) is `unsupported` and a capability.
 * The trace ids are drawn before the call, so that the server's half of the trace is the same.
 */
export const probe = defineSource({
  name: "probe",

  async *observe(run, tools) {
    const { clock, random } = tools;
    const traceId = hex(random, 16);
    const spanId = hex(random, 8);
    const isSampled = random() < run.job.sampleRatio;
    const traceparent = `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;

    const runner = await runnerOf(tools);
    const startedMs = clock.monotonicMs();
    const { spec } = run.job;
    const { target, signal } = run;
    const result = await runner.run({ spec, target, signal, traceparent });
    // What was cut short by the end of the run says nothing of the server.
    if (signal.aborted) return;
    const elapsedMs = clock.monotonicMs() - startedMs;
    const at = clock.now();
    yield* capabilities(run, tools, result);
    const contract = wasAnswered(result)
      ? await runner.contract({ spec, target, signal })
      : undefined;
    yield {
      ...observationOf(run, result, elapsedMs),
      ...(contract !== undefined && { contract }),
      at,
      traceId,
      spanId,
      isSampled,
    };
  },
});

/** Whoever does not answer calls is not asked what it serves. */
function wasAnswered({ outcome, phase, status }: ProbeResult): boolean {
  if (outcome === "unsupported") return false;
  const isAnswer = phase === undefined || phase === "rpc" || phase === "assert";
  return isAnswer && status !== "UNAVAILABLE" && status !== "DEADLINE_EXCEEDED";
}

/** Closes the channels that probes keep, but for those of the named ones. */
export async function closeProbes(tools: Tools, keep?: ReadonlySet<string>): Promise<void> {
  const runner = await runners.get(tools);
  runner?.close(keep);
}

function runnerOf(tools: Tools): Promise<ProbeRunner> {
  const { clock, resolver, ownCalls, keep } = tools;
  const keptConnection = tools.keptConnection.bind(tools);
  // grpc-js, CEL and the registries are loaded when the first probe runs.
  const create = async () =>
    new (await import("../grpc/probe-run.ts")).ProbeRunner({
      clock,
      resolver,
      ownCalls,
      keep,
      keptConnection,
    });
  const runner = runners.get(tools) ?? create();
  runners.set(tools, runner);
  return runner;
}

function observationOf(
  { job, target, scheduleLagMs }: Run<"probe">,
  { reply, responses: _responses, missing: _missing, ...verdict }: ProbeResult,
  elapsedMs: number,
): Omit<ProbeObservation, "at" | "traceId" | "spanId" | "isSampled"> {
  const { spec } = job;
  const {
    durationMs,
    firstMessageMs,
    phaseMs,
    isFirstOnChannel,
    requestBytes,
    responseBytes,
    metadata,
    peer,
  } = reply ?? { ...NO_REPLY, durationMs: elapsedMs };
  return {
    source: "probe",
    kind: "run",
    target: target.name,
    probe: spec.name,
    method: spec.method,
    ...verdict,
    durationMs,
    ...(firstMessageMs !== undefined && { firstMessageMs }),
    phaseMs,
    deadlineMs: spec.deadlineMs,
    connection: spec.connection,
    isFirstOnChannel,
    scheduleLagMs,
    requestBytes,
    responseBytes,
    ...(metadata !== undefined && { metadata }),
    ...(peer !== undefined && { address: peer, peer }),
  };
}

/** What a run shows that made no call. */
const NO_REPLY: Pick<
  ClientReply,
  | "phaseMs"
  | "isFirstOnChannel"
  | "requestBytes"
  | "responseBytes"
  | "metadata"
  | "firstMessageMs"
  | "peer"
> = { phaseMs: {}, isFirstOnChannel: true, requestBytes: 0, responseBytes: 0 };

function* capabilities(
  { job, target }: Run<"probe">,
  tools: Tools,
  { missing }: ProbeResult,
): Generator<Observation> {
  const known = told.get(tools) ?? new Map<string, string>();
  told.set(tools, known);
  const key = `${target.name}/${job.spec.name}`;
  const before = known.get(key);
  const part = missing && partOf(missing, job.spec.name);
  if (before === part) return;

  const at = tools.clock.now();
  const base = { source: "probe", kind: "capability", target: target.name, at } as const;
  if (before !== undefined) yield { ...base, part: before, available: true };
  if (part === undefined) known.delete(key);
  else known.set(key, part);
  if (missing !== undefined && part !== undefined)
    yield { ...base, ...missing, part, available: false };
}

const OF_ONE_PROBE: ReadonlySet<string> = new Set(["request", "assertions"]);

/** What else a probe lacks (reflection, credentials) others lack as well; a method is named with who asks. */
function partOf({ part }: Missing, probeName: string): string {
  return OF_ONE_PROBE.has(part) || part.includes("/") ? `${part} of ${probeName}` : part;
}

/** Never all zeros, which W3C trace context forbids. */
function hex(random: Random, bytes: number): string {
  const drawn = Array.from({ length: bytes }, (): number => Math.floor(random() * 256));
  if (!drawn.some((byte) => byte > 0)) drawn[0] = 1;
  return drawn.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
