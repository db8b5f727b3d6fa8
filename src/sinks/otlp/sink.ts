import type { FindingsReport } from "../../model/finding.ts";
import type { ProbeObservation } from "../../model/observation.ts";
import type { Settings } from "../../model/settings.ts";
import type { Clock, Random } from "../../model/time.ts";
import { watchDrains } from "../drain-watch.ts";
import type { Sink } from "../sink.ts";
import { type SinkReport, SinkState } from "../sink-state.ts";
import type { ExporterOptions, TraceExporter } from "./exporter.ts";
import { resourceAttributes } from "./resource.ts";
import { drainTrace, findingCode, probeTrace, showing, type TraceFacts } from "./spans.ts";

export interface OtlpOptions {
  readonly settings: () => Settings;
  readonly report: () => FindingsReport;
  readonly clock: Clock;
  readonly random: Random;
  readonly event: SinkReport["event"];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

/** A run waits this long for the evaluation that may show a finding of it. */
const EVALUATION_MS = 1500;
/** Runs that wait at once; beyond, they go without the finding's code. */
const MOST_WAITING = 256;
/** The specification's default of OTEL_BSP_MAX_QUEUE_SIZE. */
const QUEUE_SIZE = 2048;

/**
 * Tells probe runs and drains as spans. Made only where tracing is on; OpenTelemetry is loaded with
 * the first span. A run goes out if it was sampled, or if it failed.
 *
 * A collector that is down costs the spans that do not fit its queue: they are counted, and its state
 * is told once.
 */
export function createOtlpSink(options: OtlpOptions): Sink {
  const { clock, event, report, settings } = options;
  const state = new SinkState("otlp", { now: () => clock.now(), event });
  const watchDrain = watchDrains();
  const closing = new AbortController();
  const waiting = new Set<Promise<void>>();
  /** Spans that were told, and that no collector has taken yet. */
  let unsent = 0;

  const dropped = (count: number, thrown: unknown) => {
    unsent -= count;
    event({ kind: "spans-dropped", count, at: clock.now() });
    state.failed("export", thrown ?? new Error("the queue of spans is full"));
  };
  const sent = (count: number) => {
    unsent -= count;
    state.worked("export");
  };
  const refused = (why: Error) => state.failed("export", why);
  const exporter = lateExporter(() => load(options, { dropped, sent, refused }));
  const tell = async (facts: TraceFacts): Promise<void> => {
    try {
      (await exporter.get()).tell(facts);
    } catch (thrown) {
      dropped(spansOf(facts), thrown);
    }
  };
  const tellRun = async (run: ProbeObservation, facts: TraceFacts): Promise<void> => {
    if (waiting.size < MOST_WAITING) await sleepUnless(closing.signal, clock);
    await tell(showing(facts, findingCode(run, report())));
  };
  const hold = (facts: TraceFacts, telling: Promise<void>) => {
    unsent += spansOf(facts);
    waiting.add(telling);
    void telling.finally(() => waiting.delete(telling));
  };
  const flush = async () => {
    await Promise.all(waiting);
    await (await exporter.loaded())?.close();
  };

  return {
    name: "otlp",
    observe(observation) {
      if (observation.kind === "run" && isTold(observation)) {
        const target = settings().targets.find(({ name }) => name === observation.target);
        const facts = probeTrace({ ...observation, at: clock.shown(observation.at) }, target);
        hold(facts, tellRun(observation, facts));
      }
      const drain = watchDrain(observation);
      if (drain?.endedAt !== undefined) {
        const shown = { ...drain, beganAt: clock.shown(drain.beganAt) };
        const facts = drainTrace(shown, clock.shown(drain.endedAt));
        hold(facts, tell(facts));
      }
    },
    async close(signal) {
      closing.abort();
      await unlessAborted(flush(), signal);
      // Whoever is still on its way is lost: the process ends.
      if (unsent > 0) dropped(unsent, signal.reason);
    },
  };
}

function isTold({ isSampled, outcome }: ProbeObservation): boolean {
  return isSampled || outcome === "failed";
}

function spansOf({ children }: TraceFacts): number {
  return 1 + children.length;
}

interface LateExporter {
  get(): Promise<TraceExporter>;
  /** `undefined`: nobody asked yet, or it could not be loaded. */
  loaded(): Promise<TraceExporter> | undefined;
}

/** The files that it did not like may be others by the next span: then it is loaded again. */
function lateExporter(make: () => Promise<TraceExporter>): LateExporter {
  let exporter: Promise<TraceExporter> | undefined;
  return {
    async get() {
      exporter ??= make();
      try {
        return await exporter;
      } catch (thrown) {
        exporter = undefined;
        throw thrown;
      }
    },
    loaded: () => exporter,
  };
}

/** OpenTelemetry, and with it the heaviest part of the agent, comes with the first span. */
async function load(
  { settings, environment, version, random, event, clock }: OtlpOptions,
  heard: Pick<ExporterOptions, "dropped" | "sent" | "refused">,
): Promise<TraceExporter> {
  const { createExporter } = await import("./exporter.ts");
  const endpoint = settings().tracing?.endpoint;
  const resource = resourceAttributes(environment, version);
  const warned = (text: string) => event({ kind: "config-warning", text, at: clock.now() });
  for (const text of resource.warnings) warned(text);
  return createExporter({
    ...(endpoint === undefined ? {} : { endpoint }),
    resource: resource.attributes,
    userAgent: `grpc-doctor/${version}`,
    queueSize: queueSize(environment),
    random,
    clock,
    warned,
    ...heard,
  });
}

/** Waits for the evaluation, or for the end. */
async function sleepUnless(signal: AbortSignal, clock: Clock): Promise<void> {
  try {
    await clock.sleep(EVALUATION_MS, signal);
  } catch {
    // The agent stops: the run goes out with what is known.
  }
}

/** The end does not wait for a collector that does not answer. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return Promise.race([work, aborted]);
}

function queueSize(environment: OtlpOptions["environment"]): number {
  const stated = Number(environment["OTEL_BSP_MAX_QUEUE_SIZE"]);
  return Number.isInteger(stated) && stated > 0 ? stated : QUEUE_SIZE;
}
