import { Server, ServerCredentials } from "@grpc/grpc-js";

const EXPORT = {
  path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  requestStream: false,
  responseStream: false,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: () => Buffer.alloc(0),
};
/** ExportTraceServiceRequest.resource_spans, ResourceSpans.scope_spans, ScopeSpans.spans. */
const PATH_TO_SPANS = [1, 2, 2];
const DELIMITED = 2;

/** Takes every OTLP export, and counts exports, bytes and spans. */
export async function startCollector() {
  const seen = { exports: 0, bytes: 0, spans: 0 };
  const server = new Server({ "grpc.enable_channelz": 0 });
  server.addService(
    { export: EXPORT },
    {
      export({ request }, done) {
        seen.exports += 1;
        seen.bytes += request.length;
        seen.spans += count(request, PATH_TO_SPANS);
        done(null, {});
      },
    },
  );
  const port = await new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return {
    url: `http://127.0.0.1:${port}`,
    seen: () => ({ ...seen }),
    stop: () => server.forceShutdown(),
  };
}

/** How many messages lie at the end of a path of field numbers; on the way all are length-delimited. */
function count(message, [field, ...rest]) {
  if (field === undefined) return 1;
  let found = 0;
  for (let at = 0; at < message.length; ) {
    const [tag, start] = varint(message, at);
    const [length, content] = varint(message, start);
    if (tag % 8 !== DELIMITED) throw new Error(`no length-delimited field: ${tag}`);
    at = content + length;
    if (Math.floor(tag / 8) === field) found += count(message.subarray(content, at), rest);
  }
  return found;
}

function varint(bytes, from) {
  let value = 0;
  for (let at = from, factor = 1; ; at++, factor *= 128) {
    value += (bytes[at] % 128) * factor;
    if (bytes[at] < 128) return [value, at + 1];
  }
}
