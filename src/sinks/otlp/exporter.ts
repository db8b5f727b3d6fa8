import {
  context,
  type DiagLogger,
  diag,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { convertLegacyOtlpGrpcOptions } from "@opentelemetry/otlp-grpc-exporter-base";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type IdGenerator,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { WatchedCredentials } from "../../grpc/watched-credentials.ts";
import type { Clock, Random } from "../../model/time.ts";
import type { Attributes } from "./resource.ts";
import type { SpanFacts, TraceFacts } from "./spans.ts";

/** OpenTelemetry behind one function: facts in, spans to a collector. */
export interface TraceExporter {
  tell(facts: TraceFacts): void;
  /** Sends what is queued; resolves when it was sent or given up. */
  close(): Promise<void>;
}

export interface ExporterOptions {
  /** `http://host:port`; absent = what OTEL_EXPORTER_OTLP_* say, which the exporter itself reads. */
  readonly endpoint?: string;
  readonly resource: Attributes;
  readonly userAgent: string;
  readonly queueSize: number;
  readonly random: Random;
  readonly clock: Clock;
  /** Spans that no collector took, and why; `undefined`: the queue was full. */
  readonly dropped: (spans: number, thrown: Error | undefined) => void;
  readonly sent: (spans: number) => void;
  /** The collector's connection was ended, for what it sent. */
  readonly refused: (why: Error) => void;
  /** What the packages think of the variables that they read. */
  readonly warned: (text: string) => void;
}

const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const;

/**
 * Loaded late, through `import("./exporter.ts")`: OpenTelemetry and its gRPC are the heaviest part of
 * the agent, and most pods have no collector.
 *
 * Nothing is sampled here: what comes has been decided. Queueing, batching, headers, TLS, compression
 * and timeouts are the packages' own, with the OTEL_* variables that they read. Throws where those name
 * certificates that are none.
 */
export function createExporter(options: ExporterOptions): TraceExporter {
  const ids = createIds(options.random);
  diag.setLogger(warningsOnly(options.warned), { suppressOverrideMessage: true });
  const collector = createCollector(options);
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ ...options.resource })),
    sampler: new AlwaysOnSampler(),
    idGenerator: ids.generator,
    spanProcessors: [boundedProcessor(collector, options)],
  });
  const tracer = provider.getTracer("grpc-doctor");

  const open = (facts: SpanFacts, parent: Span | undefined): Span => {
    const { name, kind, startAt, attributes, spanId } = facts;
    ids.useNext({ spanId });
    const around = parent === undefined ? ROOT : trace.setSpan(ROOT, parent);
    return tracer.startSpan(
      name,
      { kind: KINDS[kind], startTime: timeOf(startAt), attributes: { ...attributes } },
      around,
    );
  };
  return {
    tell({ traceId, root, children }) {
      ids.useNext({ traceId });
      const parent = open(root, undefined);
      for (const child of children) end(open(child, parent), child);
      end(parent, root);
    },
    async close() {
      // What the last batch lost was counted; the collector's connection is closed all the same.
      await provider.shutdown().catch(() => undefined);
      await collector.shutdown();
    },
  };
}

/** What the packages make of the variables, over connections that are watched. */
function createCollector({ endpoint, userAgent, clock, refused }: ExporterOptions) {
  const stated = { userAgent, ...(endpoint === undefined ? {} : { url: endpoint }) };
  const { credentials } = convertLegacyOtlpGrpcOptions(stated, "TRACES");
  const watch = { nowMs: () => clock.monotonicMs(), refused };
  return new OTLPTraceExporter({
    ...stated,
    credentials: new WatchedCredentials(credentials(), watch),
  });
}

const ROOT = context.active();

/** Warnings about a value or a file; the packages also warn of a bundle without client certificate. */
const OF_A_VARIABLE = /^(?:Configuration: |Failed to read |URL )/;

/**
 * Failures to send are counted and told by us; what else the packages say is no user's business. They read
 * the variables twice, and each of their warnings is told once.
 */
function warningsOnly(warned: (text: string) => void): DiagLogger {
  const ignore = () => undefined;
  const told = new Set<string>();
  const warn = (text: string) => {
    if (!OF_A_VARIABLE.test(text) || told.has(text)) return;
    told.add(text);
    warned(text);
  };
  return { error: ignore, warn, info: ignore, debug: ignore, verbose: ignore };
}

function end(span: Span, { endAt, error }: SpanFacts): void {
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  span.end(timeOf(endAt));
}

/** Seconds and nanoseconds, that fractions of a millisecond survive. */
function timeOf(instant: number): [number, number] {
  const seconds = Math.floor(instant / 1000);
  return [seconds, Math.round((instant - seconds * 1000) * 1e6)];
}

interface Ids {
  readonly generator: IdGenerator;
  /** The ids that the next span shall have; one that is not given is drawn. */
  useNext(next: {
    readonly traceId?: string | undefined;
    readonly spanId?: string | undefined;
  }): void;
}

/** Hands out the ids that went to the server before the call; draws those that nobody has seen. */
function createIds(random: Random): Ids {
  let traceId: string | undefined;
  let spanId: string | undefined;
  return {
    useNext(next) {
      if ("traceId" in next) traceId = next.traceId;
      spanId = next.spanId;
    },
    generator: {
      generateTraceId: () => traceId ?? draw(random, 16),
      generateSpanId: () => spanId ?? draw(random, 8),
    },
  };
}

/** Lower-case hex, never all zeros. Source: W3C Trace Context, section 3.2.2. */
function draw(random: Random, bytes: number): string {
  const drawn = Array.from({ length: bytes }, () => Math.floor(random() * 256));
  const text = drawn.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return /[^0]/.test(text) ? text : `${text.slice(1)}1`;
}

/** The packages' batching, with every span that is lost in it counted. */
function boundedProcessor(
  collector: OTLPTraceExporter,
  { queueSize, dropped, sent }: ExporterOptions,
): SpanProcessor {
  let waiting = 0;
  const counted: SpanExporter = {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void) {
      collector.export(spans, (result) => {
        waiting -= spans.length;
        if (result.code === ExportResultCode.SUCCESS) sent(spans.length);
        else dropped(spans.length, result.error);
        done(result);
      });
    },
    shutdown: () => Promise.resolve(), // its maker ends it
  };
  const batches = new BatchSpanProcessor(counted, { maxQueueSize: queueSize });
  return {
    onStart: () => undefined,
    onEnd(span) {
      if (waiting >= queueSize) return dropped(1, undefined);
      waiting += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}
