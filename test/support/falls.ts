import { vi } from "vitest";
import type { GrpcServer } from "../support/grpc-server.ts";
import type { RunningAgent } from "../support/running-agent.ts";

const PATIENCE = { timeout: 120_000, interval: 250 };
const SERVING = /^grpc_doctor_health_status\{.*grpc_service="",.*status="SERVING".*\} 1$/m;

/**
 * The app, which the agent has seen SERVING, says that it is not: one that was never seen so may
 * still be starting, and is given the time for it.
 */
export async function falls(app: GrpcServer, agent: RunningAgent): Promise<void> {
  await vi.waitUntil(async () => SERVING.test(await agent.metrics()), PATIENCE);
  app.health.setStatus("", "NOT_SERVING");
}
