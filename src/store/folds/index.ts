import type { Fold } from "../fold.ts";
import { appCallsFold } from "./app-calls.ts";
import { appProcessFold } from "./app-process.ts";
import { channelsFold } from "./channels.ts";
import { configStateFold } from "./config-state.ts";
import { crashesFold } from "./crashes.ts";
import { expectationFold } from "./expectation.ts";
import { healthFold } from "./health.ts";
import { keptFold } from "./kept.ts";
import { listenersFold } from "./listeners.ts";
import { outboundFold } from "./outbound.ts";
import { probesFold } from "./probes.ts";
import { reachFold } from "./reach.ts";
import { resolutionFold } from "./resolution.ts";
import { selfFold } from "./self.ts";
import { servedFileFold } from "./served-file.ts";
import { serverCallsFold } from "./server-calls.ts";
import { servicesFold } from "./services.ts";
import { socketsFold } from "./sockets.ts";
import { surroundingsFold } from "./surroundings.ts";
import { xrayFold } from "./xray.ts";

/**
 * Every fold, one for each fact that one target's own observations make. What two targets know
 * together is a join. The expectation is last: the others still see what held before a change.
 */
export const FOLDS: readonly Fold[] = [
  reachFold,
  xrayFold,
  resolutionFold,
  listenersFold,
  surroundingsFold,
  outboundFold,
  keptFold,
  healthFold,
  servicesFold,
  serverCallsFold,
  socketsFold,
  channelsFold,
  appCallsFold,
  appProcessFold,
  probesFold,
  servedFileFold,
  selfFold,
  crashesFold,
  configStateFold,
  expectationFold,
];
