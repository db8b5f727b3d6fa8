import type { MetricFamily } from "./family.ts";
import { goGrpcMiddleware } from "./go-grpc-middleware.ts";
import { grpcOtel } from "./grpc-otel.ts";
import { micrometer } from "./micrometer.ts";
import { micrometerObservation } from "./micrometer-observation.ts";
import { otelRpc, otelRpcOld } from "./otel-rpc.ts";

/** Every family that we read, those first that also tell what is in flight. */
export const FAMILIES: readonly MetricFamily[] = [
  goGrpcMiddleware,
  grpcOtel,
  micrometerObservation,
  micrometer,
  otelRpc,
  otelRpcOld,
];
