import type { DnsObservation } from "../../../model/observation.ts";
import type { Reason } from "../../../model/reason.ts";
import { knownValue, type TargetSnapshot } from "../../../model/snapshot.ts";
import type { RemoteRows } from "../../../model/socket-rows.ts";
import type { Target } from "../../../model/target.ts";
import { type Family, PREFIX, type Sample, seconds } from "../family.ts";
import { fromTargets, value } from "../per-target.ts";

/** Why a lookup failed, in the words of `reason`. */
const DNS_REASONS: Readonly<Record<NonNullable<DnsObservation["cause"]>, Reason>> = {
  nxdomain: "nxdomain",
  "no-data": "no_data",
  servfail: "servfail",
  refused: "dns_refused",
  timeout: "dns_timeout",
};

function portOf({ endpoint }: Target): string | undefined {
  return endpoint.kind === "unix" ? undefined : String(endpoint.port);
}

function inboundStates(watched: TargetSnapshot): Readonly<Record<string, number | undefined>> {
  const read = knownValue(watched, "listeners")?.reads.at(-1);
  return { established: read?.established, unaccepted: read?.unaccepted };
}

function outboundStates(watched: TargetSnapshot): Readonly<Record<string, number | undefined>> {
  const remotes = knownValue(watched, "outbound")?.reads.at(-1)?.remotes;
  const sum = (count: (rows: RemoteRows) => number) =>
    remotes?.reduce((all, rows) => all + count(rows), 0);
  return {
    established: sum((rows) => rows.established),
    syn_sent: sum((rows) => rows.synSent),
    time_wait: sum((rows) => rows.timeWait),
    close_wait: sum((rows) => rows.closeWait),
  };
}

export const NETWORK_FAMILIES: readonly Family[] = [
  {
    name: `${PREFIX}dns_addresses`,
    help: "Addresses in the newest DNS answer for the target's name.",
    type: "gauge",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({
      read: fromTargets((watched) => value(knownValue(watched, "resolution")?.answers.length)),
    }),
  },
  {
    name: `${PREFIX}dns_lookup_seconds`,
    help: "How long the newest DNS lookup of the target's name took.",
    type: "gauge",
    unit: "seconds",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({
      read: fromTargets((watched) => {
        const lookup = knownValue(watched, "resolution")?.lookups.at(-1);
        return value(lookup && seconds(lookup.durationMs));
      }),
    }),
  },
  {
    name: `${PREFIX}dns_failures_total`,
    help: "DNS lookups of the target's name that failed, by reason.",
    type: "counter",
    labels: ["target", "reason"],
    inDefaultPod: Object.keys(DNS_REASONS).length,
    from: () => ({
      starts: ({ settings }) =>
        settings.targets
          .filter(({ endpoint }) => endpoint.kind === "name")
          .flatMap(({ name }) =>
            Object.values(DNS_REASONS).map((reason) => ({ target: name, reason })),
          ),
      observe(observation) {
        if (observation.kind !== "lookup" || observation.outcome !== "failed") return [];
        const { target, cause } = observation;
        const reason = cause === undefined ? "other" : DNS_REASONS[cause];
        return [{ labels: { target, reason }, value: 1 }];
      },
    }),
  },
  {
    name: `${PREFIX}tcp_accept_queue`,
    help: "Connections that the kernel completed and the app has not accepted, on the target's port.",
    type: "gauge",
    labels: ["target", "port"],
    inDefaultPod: 1,
    from: () => ({
      read: fromTargets((watched, target): readonly Sample[] => {
        const port = portOf(target);
        const queued = knownValue(watched, "listeners")?.reads.at(-1)?.queued;
        if (port === undefined || queued === undefined) return [];
        return [{ labels: { port }, value: queued }];
      }),
    }),
  },
  {
    name: `${PREFIX}tcp_connections`,
    help: "TCP connections on the target's port by the kernel's table, without the agent's own: to the app (established, of them unaccepted), or from the app to an upstream.",
    type: "gauge",
    labels: ["target", "port", "state"],
    inDefaultPod: 2,
    from: () => ({
      read: fromTargets((watched, target) => {
        const port = portOf(target);
        if (port === undefined) return [];
        const states = target.role === "app" ? inboundStates(watched) : outboundStates(watched);
        return Object.entries(states).flatMap(([state, count]) =>
          count === undefined ? [] : [{ labels: { port, state }, value: count }],
        );
      }),
    }),
  },
];
