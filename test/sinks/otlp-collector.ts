import { type Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** A span as the collector received it, ids in hex, attributes as one object. */
export interface ReceivedSpan {
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startNanos: string;
  readonly endNanos: string;
  readonly status: { readonly code: string; readonly message: string };
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Collector {
  readonly endpoint: string;
  readonly spans: ReceivedSpan[];
  readonly resources: Readonly<Record<string, unknown>>[];
  /** The metadata of each export, as far as it names no part of HTTP/2 or gRPC. */
  readonly headers: Readonly<Record<string, unknown>>[];
  /** Resolves with the spans when there are at least so many. */
  received(count: number): Promise<readonly ReceivedSpan[]>;
  stop(): void;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>> & { readonly value: string };
}

interface WireSpan extends Omit<ReceivedSpan, "attributes" | "status"> {
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly status: ReceivedSpan["status"] | null;
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

interface ExportCall {
  readonly request: ExportRequest;
  readonly metadata: Metadata;
}

const definition = loadSync(new URL("proto/trace-service.proto", import.meta.url).pathname, {
  longs: String,
  enums: String,
  bytes: Buffer,
  defaults: true,
  oneofs: true,
});

/** A real OTLP collector over gRPC, on loopback, that keeps what it is sent. */
export async function startCollector({
  credentials = ServerCredentials.createInsecure(),
  port = 0,
} = {}): Promise<Collector> {
  const headers: Collector["headers"] = [];
  const spans: ReceivedSpan[] = [];
  const resources: Collector["resources"] = [];
  const waiting = new Set<() => void>();
  const server = new Server();
  const service = definition["opentelemetry.proto.collector.trace.v1.TraceService"];
  server.addService(service as never, {
    Export(call: ExportCall, reply: (error: null, response: object) => void) {
      headers.push(call.metadata.getMap());
      for (const { resource, scopeSpans } of call.request.resourceSpans) {
        resources.push(record(resource.attributes));
        spans.push(...scopeSpans.flatMap((scope) => scope.spans.map(received)));
      }
      reply(null, {});
      for (const look of waiting) look();
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  return {
    endpoint: `http://127.0.0.1:${bound}`,
    spans,
    resources,
    headers,
    received: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (spans.length < count) return;
          waiting.delete(look);
          resolve(spans);
        };
        waiting.add(look);
        look();
      }),
    stop: () => server.forceShutdown(),
  };
}

function received(span: WireSpan): ReceivedSpan {
  const hex = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString("hex");
  return {
    name: span.name,
    kind: span.kind,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    startNanos: span.startTimeUnixNano,
    endNanos: span.endTimeUnixNano,
    status: { code: span.status?.code ?? "", message: span.status?.message ?? "" },
    attributes: record(span.attributes),
  };
}

function record(attributes: readonly KeyValue[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value[value.value]]));
}
