import { Server, ServerCredentials } from "@grpc/grpc-js";

const EXPORT = {
  path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  requestStream: false,
  responseStream: false,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: () => Buffer.alloc(0),
};

/** Takes every OTLP export and looks at none. */
export async function startCollector() {
  const server = new Server({ "grpc.enable_channelz": 0 });
  server.addService({ export: EXPORT }, { export: (_call, done) => done(null, {}) });
  const port = await new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { url: `http://127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
