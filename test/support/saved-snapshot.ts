import { defaultCodeSettings, defaultSettings } from "../../src/config/defaults.ts";
import type { SavedSnapshot } from "../../src/config/print-snapshot.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Settings } from "../../src/model/settings.ts";
import type { Snapshot } from "../../src/model/snapshot.ts";
import {
  aBaseline,
  aChannelGroup,
  aConfigState,
  aKept,
  aListeners,
  anAppProcess,
  anExpectation,
  anOutbound,
  anXray,
  anXrayReport,
  aReach,
  aResolution,
  aSelf,
  aServedFile,
  aServerCalls,
  aSnapshot,
  aTargetSnapshot,
  knownFacts,
  NOW,
  someAppCalls,
  someChannels,
  someCrashes,
  someHealth,
  somePeers,
  someProbes,
  someServices,
  someSockets,
  someSurroundings,
  someTls,
  someUpstreamCalls,
} from "./snapshot.ts";

/** Every fact once, with all that it may hold. */
export const EVERY_FACT: Facts = {
  expectation: anExpectation(),
  reach: aReach({ failing: { since: NOW, lastAt: NOW, rounds: 2 } }),
  xray: anXray({
    latest: anXrayReport({
      tls: someTls(),
      sniff: { found: "tls", alert: 70 },
      goaway: { at: NOW, code: 0, debugText: "max_age" },
      rpc: { path: "/grpc.health.v1.Health/Check", grpcStatus: 0, dateAt: NOW },
      silence: "mute",
    }),
    lastLimits: [100, null],
  }),
  resolution: aResolution(),
  listeners: aListeners(),
  surroundings: someSurroundings({ clockDifferenceMs: -3 }),
  outbound: anOutbound({ knownAs: { "10.0.0.1:50051": "dns:///orders" } }),
  kept: aKept({ goaway: { at: NOW, code: 11, debugText: "too_many_pings" } }),
  health: someHealth(),
  services: someServices({ methods: [{ name: "a.B/C", kind: "bidi" }] }),
  serverCalls: aServerCalls(),
  sockets: someSockets(),
  channels: someChannels({ polls: [{ at: NOW, upstreams: { "a:1": aChannelGroup() } }] }),
  appCalls: someAppCalls({
    scrapes: [
      { at: NOW, handledByCode: { OK: 1 }, cancelledDurations: { upperMs: [5], counts: [1, 2] } },
    ],
  }),
  appProcess: anAppProcess(),
  probes: someProbes(),
  servedFile: aServedFile(),
  peers: somePeers(),
  upstreamCalls: someUpstreamCalls(),
  self: aSelf(),
  crashes: someCrashes(),
  configState: aConfigState(),
};

const snapshot: Snapshot = aSnapshot({
  wallAheadMs: 86_400_000,
  targets: {
    app: aTargetSnapshot({
      quietUntil: NOW,
      mayServe: true,
      facts: knownFacts(EVERY_FACT),
      capabilities: [
        { source: "health", part: "List", available: false, reason: "UNIMPLEMENTED", since: NOW },
      ],
      baselines: { "deadline-storm/share": aBaseline() },
    }),
    inventory: aTargetSnapshot({
      facts: {
        reach: { state: "unknown", why: "stale" },
        resolution: { state: "unavailable", reason: "a literal", fix: "Use a name." },
      },
    }),
    "grpc-doctor": aTargetSnapshot({ facts: knownFacts({ self: aSelf() }) }),
  },
});

function settingsFor(...names: readonly string[]): Settings {
  const parsed = defaultSettings({ address: "localhost:50051", detectors: DETECTORS });
  if (!("value" in parsed)) throw new Error("the default address is not valid");
  const codes = Object.fromEntries(
    DETECTORS.map((detector) => [detector.code, defaultCodeSettings(detector)]),
  );
  return { ...parsed.value, findings: Object.fromEntries(names.map((name) => [name, codes])) };
}

const settings = settingsFor("app", "inventory", "grpc-doctor");
/** What an agent with everything on writes of a pod with an upstream. */
export const SAVED: SavedSnapshot = { agent: "1.2.3", settings, snapshot };
