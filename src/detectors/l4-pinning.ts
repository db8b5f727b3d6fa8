import type { Peers } from "../model/facts/peers.ts";
import type { Reach } from "../model/facts/reach.ts";
import type { Resolution } from "../model/facts/resolution.ts";
import type { UpstreamCalls } from "../model/facts/upstream-calls.ts";
import { present } from "../model/present.ts";
import { boundList } from "../model/subjects.ts";
import { hostOf } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import { defineDetector } from "./detector.ts";
import { dnsStale } from "./dns-stale.ts";

const SEEN = { severity: "warning", witnesses: ["dns", "channelz-client"] } as const;
const BLIND = { severity: "info", witnesses: ["dns", "kernel"] } as const;
/** A rate over less time than this is chance. */
const LEAST_SPAN_MS = 60_000;

/**
 * DNS offers several servers, and the app has sent every call of the last ten minutes to one.
 *
 * `pick_first` is the default policy of every gRPC library: it connects to one address of the answer
 * and stays there, so replicas behind a headless name get nothing. A ClusterIP hides its replicas,
 * so one address in the answer says nothing.
 *
 * Source: gRPC load balancing (grpc/grpc doc/load-balancing.md), gRFC A62 (pick_first).
 */
export const l4Pinning = defineDetector({
  code: "l4-pinning",
  title: "All calls go to one of several servers",
  layer: "dns",
  severity: "warning",
  remedy:
    'Use a headless name with the `round_robin` policy, or a proxy that balances calls. Go, grpc-js, C-core: service config `{"loadBalancingConfig":[{"round_robin":{}}]}` with a `dns:///` target; Java: `defaultLoadBalancingPolicy("round_robin")`; tonic: `Channel::balance_list`.',
  needs: ["resolution", "peers"],
  uses: ["upstreamCalls", "reach", "surroundings"],
  causes: [dnsStale],
  lacks:
    "an answer of DNS with two addresses or more, without a mesh in between, and time enough: ten minutes of the app's calls and connections",
  holdMs: 0,
  clearAfterMs: 300_000,
  limits: {
    addresses: {
      unit: "count",
      default: 2,
      min: 2,
      max: 1000,
      says: "addresses that DNS must offer for something to balance",
    },
    pinned: {
      unit: "ms",
      default: 600_000,
      min: 60_000,
      max: 86_400_000,
      says: "how long the app has had connections to one of them only",
    },
    pinnedBlind: {
      unit: "ms",
      default: 900_000,
      min: 60_000,
      max: 86_400_000,
      says: "the same, where the app's calls cannot be seen",
    },
    minCallRate: {
      unit: "count",
      default: 100,
      min: 0,
      max: 1_000_000,
      says: "calls a minute below which one server is no loss",
    },
  },

  detect({ now, resolution, peers, upstreamCalls, reach, surroundings }, limits) {
    const { name, answers } = resolution;
    if (surroundings?.mesh === true || answers.length < 2) return undefined;
    const only = pinnedTo(peers, upstreamCalls);
    if (only === undefined) return [];

    const callsPerMinute = callRate(upstreamCalls, now - limits.pinned);
    const pinnedMs = now - only.since;
    if (isRare(callsPerMinute, limits)) return [];
    if (!isLong(pinnedMs, callsPerMinute, limits)) return undefined;

    const offered = stableAddresses(resolution, now - limits.pinned).filter(
      (address) => !fails(address, reach),
    );
    if (offered.length < limits.addresses || !offered.includes(only.address)) return [];

    return [
      {
        subject: { name },
        ...(callsPerMinute === undefined ? BLIND : SEEN),
        summary: `DNS offers ${offered.length} servers of ${name}, yet for ${Math.floor(pinnedMs / 60_000)} min the app has been connected to ${only.address} alone`,
        evidence: present({
          addresses: boundList(offered),
          connectedTo: only.address,
          connections: peers.peers.reduce((sum, peer) => sum + peer.connections, 0),
          pinnedSeconds: pinnedMs / 1000,
          callsPerMinute,
        }),
      },
    ];
  },
});

/** Too few calls are made for one server to be a loss. */
function isRare(
  callsPerMinute: number | undefined,
  { minCallRate }: { readonly minCallRate: number },
): boolean {
  return callsPerMinute !== undefined && callsPerMinute < minCallRate;
}

/** Long enough for what can be seen. */
function isLong(
  pinnedMs: number,
  callsPerMinute: number | undefined,
  { pinned, pinnedBlind }: { readonly pinned: number; readonly pinnedBlind: number },
): boolean {
  return pinnedMs > (callsPerMinute === undefined ? pinnedBlind : pinned);
}

/** The one address, unless a look-aside balancer or xDS chose it. */
function pinnedTo({ only }: Peers, calls: UpstreamCalls | undefined): Peers["only"] {
  return calls?.polls.at(-1)?.scheme === undefined ? only : undefined;
}

/** Addresses of the answer that were in every answer from before that instant. */
function stableAddresses({ answers, seen }: Resolution, before: Instant): readonly string[] {
  return answers.filter((address) => (seen[address]?.since ?? before) < before);
}

/** Nothing could go to an address that does not accept us. */
function fails(address: string, reach: Reach | undefined): boolean {
  return Object.entries(reach?.runs ?? {}).some(
    ([dialled, run]) => hostOf(dialled) === address && run.outcome !== "connected",
  );
}

/** Calls a minute since then, from the poll before to the newest; undefined where they cannot be told. */
function callRate(calls: UpstreamCalls | undefined, since: number): number | undefined {
  const polls = calls?.polls ?? [];
  const first = polls.findLast(({ at }) => at <= since) ?? polls[0];
  const last = polls.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const spanMs = last.at - first.at;
  const started = last.callsStarted - first.callsStarted;
  // A channel that was closed takes its counters along.
  return spanMs < LEAST_SPAN_MS || started < 0 ? undefined : (started * 60_000) / spanMs;
}
