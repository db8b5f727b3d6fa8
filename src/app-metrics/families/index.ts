import type { MetricFamily } from "./family.ts";
import { goGrpcMiddleware } from "./go-grpc-middleware.ts";
import { grpcOtel } from "./grpc-otel.ts";

/** Every family that we read. Where an app has several, the first that counts is believed. */
export const FAMILIES: readonly MetricFamily[] = [goGrpcMiddleware, grpcOtel];
