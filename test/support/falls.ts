import { vi } from "vitest";
import type { GrpcServer } from "./grpc-server.ts";
import type { RunningAgent } from "./running-agent.ts";

const PATIENCE = { timeout: 120_000, interval: 250 };
const SERVING = 'grpc_service="",status="SERVING"} 1';

/**
 * The app, which the agent has seen SERVING, says that it is not: one that was never seen so may
 * still be starting, and is given the time for it.
 */
export async function falls(app: GrpcServer, agent: RunningAgent, target = "app"): Promise<void> {
  const serving = `grpc_doctor_health_status{target="${target}",${SERVING}`;
  await vi.waitUntil(async () => (await agent.metrics()).includes(serving), PATIENCE);
  app.health.setStatus("", "NOT_SERVING");
}
