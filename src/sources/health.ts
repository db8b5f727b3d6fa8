import { CallError } from "../grpc/call-error.ts";
import { dialectOf } from "../grpc/dialects/index.ts";
import { Channelz } from "../grpc/gen/grpc/channelz/v1/channelz_pb.js";
import { checkHealth, listHealth, watchHealth } from "../grpc/health.ts";
import { listServices, readMethods } from "../grpc/reflection.ts";
import type { Connection } from "../grpc/transport.ts";
import { callUnary } from "../grpc/typed-call.ts";
import type { HealthObservation, Observation } from "../model/observation.ts";
import type { ServingStatus } from "../model/status.ts";
import { type Asked, ask, replied } from "./ask.ts";
import { defineSource, type Run, type Tools } from "./source.ts";
import {
  ASK_AGAIN_MS,
  available,
  isRefused,
  notLetIn,
  type Question,
  refused,
} from "./standing.ts";

/** What one run asks with. */
interface Asking {
  readonly run: Run<"health">;
  readonly tools: Tools;
  readonly connection: Connection;
}

type Via = "watch" | "check";

const FIX = {
  health: "Register the health service (grpc.health.v1) with the server.",
  Watch: "Use a health service that implements Watch; until then each status is polled.",
  flood: "Send a status on Watch only when it has changed; until then each status is polled.",
  List: "Name the services under `health.services`: this server does not list them.",
  reflection: "Register the reflection service with the server, or give the probes a `protoset`.",
} as const;

/**
 * Asks the gRPC health service over the kept connection: a stream per name (`watch`), a Check per name
 * (`poll`), or what there is to ask (`discover`).
 *
 * A status is what the server says; that it says nothing is told as a reply of the connection, and
 * that it will not say as a capability. A connection that cannot be had is not told here: the kept
 * connection tells its own life.
 *
 * Source: grpc/grpc doc/health-checking.md, gRFC A90.
 */
export const health = defineSource({
  name: "health",

  async *observe(run, tools) {
    let connection: Connection;
    try {
      connection = await tools.keptConnection(run.target, run.signal);
    } catch (thrown) {
      return yield* notLetIn(thrown, question({ run, tools }));
    }
    yield* MODES[run.job.mode]({ run, tools, connection });
  },
});

const MODES = { watch, poll, discover } as const;

async function* watch(asking: Asking): AsyncIterable<Observation> {
  const { run, tools, connection } = asking;
  const [service = ""] = run.job.services;
  try {
    const statuses = watchHealth(connection, service, { signal: run.signal });
    let first: { readonly isFirst?: true } = { isFirst: true };
    for await (const status of paced(statuses, tools.clock)) {
      yield* available(connection, question(asking, "Watch"));
      yield { ...base(asking), kind: "status", service, status, via: "watch", ...first };
      first = {};
    }
  } catch (thrown) {
    const error = callError(thrown);
    if (run.signal.aborted) return;
    const isFlood = error.fault.reason === "flooded" && connection.isOpen;
    if (!isFlood && !isRefusal(error)) {
      return yield* answered(asking, { service, via: "watch", error });
    }
    const fix = isFlood ? FIX.flood : FIX.Watch;
    yield* refused(connection, question(asking, "Watch"), { error, fix });
    // The stream is begun anew when this run ends: not before there is reason to ask again.
    await waitToAskAgain(asking);
  }
}

/** app-frozen's `slow`: a check that takes longer has to be told from a loop that is blocked. */
const SLOW_MS = 500;

/** A health service speaks when a status changes: one that flaps each second is far below this. */
const MOST_STATUSES = 100;
const PACE_MS = 10_000;

/** The statuses, until there are more than a hundred in ten seconds: that is thrown as `flooded`. */
async function* paced(
  statuses: AsyncIterable<ServingStatus>,
  clock: Tools["clock"],
): AsyncIterable<ServingStatus> {
  let sinceMs = clock.monotonicMs();
  let count = 0;
  for await (const status of statuses) {
    const nowMs = clock.monotonicMs();
    if (nowMs - sinceMs >= PACE_MS) {
      sinceMs = nowMs;
      count = 0;
    }
    count += 1;
    if (count > MOST_STATUSES) throw new CallError({ phase: "rpc", reason: "flooded" });
    yield status;
  }
}

/** It will not say, or says what nobody can read. */
function isRefusal(error: CallError): boolean {
  return error.isCapability || error.isUnreadable;
}

async function waitToAskAgain({ run, tools, connection }: Asking): Promise<void> {
  const over = new AbortController();
  const hour = tools.clock.sleep(ASK_AGAIN_MS, AbortSignal.any([run.signal, over.signal]));
  await Promise.race([
    hour.catch(() => {
      // The connection ended, or the job was stopped.
    }),
    connection.ended,
  ]);
  over.abort();
}

async function* poll(asking: Asking): AsyncIterable<Observation> {
  const { run, tools, connection } = asking;
  for (const service of run.job.services) {
    if (run.signal.aborted || !connection.isOpen) return;
    if (isRefused(connection, question(asking))) {
      const other = await askOther(asking);
      return yield* other === undefined ? [] : replied(run, tools, other);
    }

    const asked = await ask(run, tools, (signal) => checkHealth(connection, service, { signal }));
    const quick = await quickest(asking, asked);
    yield* replied(run, tools, quick);
    if (asked.outcome === "silent") yield* hanging(asking, { service, quick });
    if (asked.outcome === "answered") {
      yield* available(connection, question(asking));
      yield { ...base(asking), kind: "status", service, status: asked.answer, via: "check" };
    }
    if (asked.outcome === "refused") {
      const { error } = asked;
      yield* isRefusal(error)
        ? refused(connection, question(asking), { error, fix: FIX.health })
        : answered(asking, { service, via: "check", error });
    }
  }
}

/** The app answers other calls: it is health that hangs, as bad for who asks as an error. */
function* hanging(
  asking: Asking,
  { service, quick }: { readonly service: string; readonly quick: Asked<unknown> },
): Generator<HealthObservation> {
  if (quick.outcome !== "answered") return;
  const text = "no answer in 2 s, while another call was answered";
  yield { ...base(asking), kind: "error", service, code: "DEADLINE_EXCEEDED", text, via: "check" };
}

/** A check that is slow may ask a database: where another small call is quick, the loop is not blocked. */
async function quickest(asking: Asking, asked: Asked<unknown>): Promise<Asked<unknown>> {
  if (asked.outcome === "lost" || asked.ms < SLOW_MS) return asked;
  const other = await askOther(asking);
  return other?.outcome === "answered" && other.ms < asked.ms ? other : asked;
}

/** Beside health another small call shows whether the server answers: channelz, else reflection. */
async function askOther(asking: Asking): Promise<Asked<unknown> | undefined> {
  const { run, tools, connection } = asking;
  const channelz = { ...question(asking), source: "channelz" } as const;
  if (run.target.channelz !== undefined && !isRefused(connection, channelz)) {
    const request = { maxResults: 1n };
    return await ask(run, tools, (signal) =>
      callUnary(connection, Channelz.method.getServers, { request, signal }),
    );
  }
  if (isRefused(connection, question(asking, "reflection"))) return undefined;
  return await ask(run, tools, (signal) => listServices(connection, { signal }));
}

async function* discover(asking: Asking): AsyncIterable<Observation> {
  const { run, connection } = asking;
  const { signal } = run;
  const names = yield* found(asking, "List", () => listHealth(connection, { signal }));
  const methods = yield* found(asking, "reflection", () => readMethods(connection, { signal }));
  if (names === undefined && methods === undefined) return;
  yield {
    ...base(asking),
    kind: "services",
    ...(names !== undefined && { health: names }),
    ...(methods !== undefined && { methods }),
  };
}

async function* found<T>(
  asking: Asking,
  part: "List" | "reflection",
  look: () => Promise<T>,
): AsyncGenerator<Observation, T | undefined> {
  const { run, connection } = asking;
  if (run.signal.aborted || !connection.isOpen || isRefused(connection, question(asking, part))) {
    return undefined;
  }
  try {
    const result = await look();
    yield* available(connection, question(asking, part));
    return result;
  } catch (thrown) {
    const error = callError(thrown);
    if (!isRefusal(error)) return undefined;
    yield* refused(connection, question(asking, part), { error, fix: FIX[part] });
    yield* implementation(asking, error);
    return undefined;
  }
}

/** Connections whose server's author was told. */
const known = new WeakSet<Connection>();

/** The text of an UNIMPLEMENTED tells who wrote the server. */
function* implementation(
  { run, tools, connection }: Asking,
  { fault }: CallError,
): Generator<Observation> {
  const { settings } = connection;
  const text = fault.statusText;
  const dialect = dialectOf({ settings, ...(text !== undefined && { unimplementedText: text }) });
  if (dialect.implementation === "unknown" || known.has(connection)) return;
  known.add(connection);
  const at = tools.clock.now();
  const { implementation: word } = dialect;
  const target = run.target.name;
  yield { source: "connection", kind: "implementation", target, at, implementation: word };
}

/** An error that is an answer: a name that is not known is a status; the rest says nothing of one. */
function* answered(
  asking: Asking,
  { service, via, error }: { service: string; via: Via; error: CallError },
): Generator<HealthObservation> {
  const { status: code, statusText: text = "", reason } = error.fault;
  if (code === "NOT_FOUND") {
    yield { ...base(asking), kind: "status", service, status: "SERVICE_UNKNOWN", via };
  } else if (code !== undefined && reason === "status") {
    yield { ...base(asking), kind: "error", service, code, text, via };
  }
}

function base({ run, tools }: Asking) {
  return { source: "health", target: run.target.name, at: tools.clock.now() } as const;
}

function question(
  { run, tools }: Pick<Asking, "run" | "tools">,
  part?: "Watch" | "List" | "reflection",
): Question {
  const at = tools.clock.now();
  return { source: "health", target: run.target.name, at, ...(part !== undefined && { part }) };
}

function callError(thrown: unknown): CallError {
  if (thrown instanceof CallError) return thrown;
  throw thrown;
}
