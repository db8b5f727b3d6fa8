import * as z from "zod";
import type { Capability } from "../../model/capability.ts";
import type { TargetSnapshot } from "../../model/snapshot.ts";
import { SOURCE_NAMES } from "../../model/source-name.ts";
import { count, exactly, flag, instant, list, maybe, record, text } from "./bounds.ts";
import * as calls from "./call-facts.ts";
import * as connections from "./connection-facts.ts";

function known<T extends z.ZodType>(value: T) {
  return z.discriminatedUnion("state", [
    z.object({ state: z.literal("known"), at: instant, value }),
    z.object({ state: z.literal("unknown"), why: z.enum(["not-yet", "stale"]) }),
    z.object({ state: z.literal("unavailable"), reason: text, fix: maybe(text) }),
  ]);
}

const capability = exactly<Capability>()({
  source: z.enum(SOURCE_NAMES),
  part: maybe(text),
  available: flag,
  reason: maybe(text),
  fix: maybe(text),
  since: instant,
});

/** A fact that is missing here is a compile error. */
const facts = exactly<TargetSnapshot["facts"]>()({
  expectation: maybe(known(calls.expectation)),
  reach: maybe(known(connections.reach)),
  xray: maybe(known(connections.xray)),
  resolution: maybe(known(connections.resolution)),
  listeners: maybe(known(connections.listeners)),
  surroundings: maybe(known(connections.surroundings)),
  outbound: maybe(known(connections.outbound)),
  kept: maybe(known(connections.kept)),
  health: maybe(known(calls.health)),
  services: maybe(known(calls.services)),
  serverCalls: maybe(known(calls.serverCalls)),
  sockets: maybe(known(calls.sockets)),
  channels: maybe(known(calls.channels)),
  appCalls: maybe(known(calls.appCalls)),
  probes: maybe(known(calls.probes)),
  appProcess: maybe(known(calls.appProcess)),
  servedFile: maybe(known(calls.servedFile)),
  peers: maybe(known(calls.peers)),
  upstreamCalls: maybe(known(calls.upstreamCalls)),
  self: maybe(known(calls.self)),
  crashes: maybe(known(calls.crashes)),
  configState: maybe(known(calls.configState)),
});

/** One target of a snapshot. A fact that is absent is unknown, so files of older agents stay valid. */
export const targetSnapshot = exactly<TargetSnapshot>()({
  state: z.enum(["waiting", "watched", "draining"]),
  epoch: count,
  epochSince: instant,
  quietUntil: maybe(instant),
  mayServe: maybe(z.literal(true)),
  timingTrusted: flag,
  capabilities: list(capability, 100),
  facts,
  baselines: record(z.object({ mean: count, weight: count, since: instant }), 500),
});
