import type { Family } from "../family.ts";
import { AGENT_FAMILIES, TARGET_FAMILY } from "./agent.ts";
import { CHANNELZ_CHANNEL_FAMILIES } from "./channelz-channels.ts";
import { CHANNELZ_SERVER_FAMILIES } from "./channelz-server.ts";
import { CONNECTION_FAMILIES } from "./connection.ts";
import { DRAIN_FAMILIES } from "./drain.ts";
import { FINDING_FAMILIES } from "./findings.ts";
import { HEALTH_FAMILIES } from "./health.ts";
import { NETWORK_FAMILIES } from "./network.ts";
import { PROBE_FAMILIES } from "./probes.ts";

/** A group of families, one file each; the title is a heading of docs/metrics.md. */
export interface FamilyGroup {
  readonly title: string;
  readonly families: readonly Family[];
}

/**
 * Every metric that the agent exposes. The order is that of the exposition, and of who keeps its
 * series when there are too many: the few of the agent itself, then what alerts are made of.
 */
export const FAMILY_GROUPS: readonly FamilyGroup[] = [
  { title: "Target metadata", families: [TARGET_FAMILY] },
  { title: "The agent", families: AGENT_FAMILIES },
  { title: "Findings", families: FINDING_FAMILIES },
  { title: "Health", families: HEALTH_FAMILIES },
  { title: "Probes", families: PROBE_FAMILIES },
  { title: "Connection", families: CONNECTION_FAMILIES },
  { title: "Calls (channelz, server side)", families: CHANNELZ_SERVER_FAMILIES },
  { title: "Channels (channelz, client side)", families: CHANNELZ_CHANNEL_FAMILIES },
  { title: "DNS and TCP", families: NETWORK_FAMILIES },
  { title: "Drain", families: DRAIN_FAMILIES },
];

export const FAMILIES: readonly Family[] = FAMILY_GROUPS.flatMap(({ families }) => families);
