import { writeFileSync } from "node:fs";
import { peerBinary } from "../interop/peer.ts";
import { type RunningProgram, startProgram } from "./process.ts";

/** A real OpenTelemetry collector: OTLP in, a line of JSON for each batch in `spansFile`. */
export function startCollector({
  port,
  spansFile,
}: {
  readonly port: number;
  readonly spansFile: string;
}): Promise<RunningProgram> {
  const file = `${spansFile}.yaml`;
  writeFileSync(
    file,
    `receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${port}" } } }
exporters: { file: { path: "${spansFile}", flush_interval: 100ms } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [file] } }
`,
  );
  const line = [peerBinary("collector"), "--config", file];
  return startProgram(line, (output) => output.includes("Everything is ready"));
}
