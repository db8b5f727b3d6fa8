import type { AppCalls } from "./app-calls.ts";
import type { AppProcess } from "./app-process.ts";
import type { Channels } from "./channels.ts";
import type { ConfigState } from "./config-state.ts";
import type { Crashes } from "./crashes.ts";
import type { Expectation } from "./expectation.ts";
import type { Health } from "./health.ts";
import type { Kept } from "./kept.ts";
import type { Listeners } from "./listeners.ts";
import type { Outbound } from "./outbound.ts";
import type { Peers } from "./peers.ts";
import type { Probes } from "./probes.ts";
import type { Reach } from "./reach.ts";
import type { Resolution } from "./resolution.ts";
import type { Self } from "./self.ts";
import type { ServedFile } from "./served-file.ts";
import type { ServerCalls } from "./server-calls.ts";
import type { Services } from "./services.ts";
import type { Sockets } from "./sockets.ts";
import type { Surroundings } from "./surroundings.ts";
import type { UpstreamCalls } from "./upstream-calls.ts";
import type { Xray } from "./xray.ts";

/**
 * All that can be known of a target. Each fact has exactly one fold (or join) in `store/`, a bound,
 * a greatest age, and at least one reader; a contract test counts them.
 */
export interface Facts {
  expectation: Expectation;
  reach: Reach;
  xray: Xray;
  resolution: Resolution;
  listeners: Listeners;
  surroundings: Surroundings;
  outbound: Outbound;
  kept: Kept;
  health: Health;
  services: Services;
  serverCalls: ServerCalls;
  sockets: Sockets;
  channels: Channels;
  appCalls: AppCalls;
  appProcess: AppProcess;
  probes: Probes;
  servedFile: ServedFile;
  peers: Peers;
  upstreamCalls: UpstreamCalls;
  self: Self;
  crashes: Crashes;
  configState: ConfigState;
}

export type FactName = keyof Facts;
