import { configFiles, configTrees } from "./properties/config-files.ts";
import { dnsAnswers } from "./properties/dns.ts";
import { foreignExposition, ownExposition } from "./properties/exposition.ts";
import { celTexts, cronTexts } from "./properties/expressions.ts";
import { framedBytes, framedMessages, watchedFrames } from "./properties/framing.ts";
import { maskedSecrets, maskedTexts } from "./properties/masks.ts";
import { descriptorBytes, probeRequests, replyBytes } from "./properties/messages.ts";
import { hostsFiles, resolvConfs, targetAddresses, upstreamNames } from "./properties/names.ts";
import { foldedRows, netstatTexts, tcpRows, tcpTables } from "./properties/proc-net.ts";
import { rawRequests } from "./properties/requests.ts";
import { snapshotEdits, snapshotShapes, snapshotTexts } from "./properties/snapshots.ts";
import { growingCounters, observedSnapshots } from "./properties/store.ts";
import { findingLines, metricNames, statusPages } from "./properties/telling.ts";
import { trackedLives } from "./properties/tracker.ts";
import { unitTexts, unitValues } from "./properties/units.ts";
import { certificateBytes, coveredNames, firstBytes, replyHeaders } from "./properties/wire.ts";
import type { Property } from "./property.ts";

/** Every law, by what it is about. */
export const PROPERTIES: readonly Property[] = [
  framedMessages,
  framedBytes,
  watchedFrames,
  probeRequests,
  replyBytes,
  descriptorBytes,
  replyHeaders,
  firstBytes,
  certificateBytes,
  coveredNames,
  foreignExposition,
  ownExposition,
  tcpRows,
  tcpTables,
  foldedRows,
  netstatTexts,
  hostsFiles,
  resolvConfs,
  dnsAnswers,
  targetAddresses,
  upstreamNames,
  unitTexts,
  unitValues,
  cronTexts,
  celTexts,
  configFiles,
  configTrees,
  maskedTexts,
  maskedSecrets,
  snapshotTexts,
  snapshotEdits,
  snapshotShapes,
  observedSnapshots,
  growingCounters,
  trackedLives,
  findingLines,
  statusPages,
  metricNames,
  rawRequests,
];
