import { lastWindow } from "./counters.ts";
import { faultsBetween } from "./error-share.ts";
import type { AppCalls } from "./facts/app-calls.ts";
import type { Health } from "./facts/health.ts";
import type { ServerCalls } from "./facts/server-calls.ts";
import type { Xray } from "./facts/xray.ts";
import type { Witness } from "./source-name.ts";
import type { Instant } from "./time.ts";

const WINDOW_MS = 60_000;
const LEAST_CALLS = 10;
const MOST_FAIL_RATIO = 0.5;

export interface OtherWitnesses {
  readonly xray: Xray | undefined;
  readonly health: Health | undefined;
  readonly appCalls: AppCalls | undefined;
  readonly serverCalls: ServerCalls | undefined;
}

/** Sources beside the probe itself that found the server sick since `since`. */
export function agreeingWitnesses(others: OtherWitnesses, since: Instant): readonly Witness[] {
  const { xray, health, appCalls, serverCalls } = others;
  const isXrayed = xray?.latest.outcome === "failed" && xray.latest.at >= since;
  return [
    ...(isXrayed ? (["preflight"] as const) : []),
    ...(isUnfit(health) ? (["health"] as const) : []),
    ...(mostFailByMetrics(appCalls) ? (["metrics"] as const) : []),
    ...(mostFailByChannelz(serverCalls) ? (["channelz"] as const) : []),
  ];
}

function isUnfit(health: Health | undefined): boolean {
  const server = health?.services[""];
  return server !== undefined && (server.status === "NOT_SERVING" || server.errors !== undefined);
}

function mostFailByMetrics(appCalls: AppCalls | undefined): boolean {
  const span = lastWindow(appCalls?.scrapes ?? [], WINDOW_MS);
  if (span === undefined) return false;
  const { bad, finished } = faultsBetween(span.from, span.to);
  return isMost(bad, finished);
}

function mostFailByChannelz(serverCalls: ServerCalls | undefined): boolean {
  const span = lastWindow(serverCalls?.polls ?? [], WINDOW_MS);
  if (span === undefined) return false;
  const failed = span.to.failed - span.from.failed;
  return isMost(failed, failed + span.to.succeeded - span.from.succeeded);
}

function isMost(failed: number, all: number): boolean {
  return all >= LEAST_CALLS && failed >= MOST_FAIL_RATIO * all;
}
