import { own } from "../../../model/own.ts";
import { knownValue, type TargetSnapshot } from "../../../model/snapshot.ts";
import type { ServingStatus } from "../../../model/status.ts";
import type { Target } from "../../../model/target.ts";
import { watchHealth } from "../../health-changes.ts";
import { type Family, type Labels, type Plan, PREFIX } from "../family.ts";
import { fromTargets, value } from "../per-target.ts";

const STATUSES: readonly ServingStatus[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** The server as a whole, and the configured services: no name that only the server told us. */
function servicesOf(target: Target): readonly string[] {
  return [...new Set(["", ...target.health.services])];
}

function everyService({ settings }: Plan): readonly Labels[] {
  return settings.targets.flatMap((target) =>
    servicesOf(target).map((service) => ({ target: target.name, grpc_service: service })),
  );
}

/** An open kept connection, else the newest fresh one; `undefined` before either was tried. */
function isUp(watched: TargetSnapshot): number | undefined {
  if (knownValue(watched, "kept")?.state === "open") return 1;
  const xray = knownValue(watched, "xray");
  if (xray !== undefined) return xray.latest.outcome === "failed" ? 0 : 1;
  const reach = knownValue(watched, "reach");
  return reach === undefined ? undefined : Number(reach.failing === undefined);
}

export const HEALTH_FAMILIES: readonly Family[] = [
  {
    name: `${PREFIX}target_up`,
    help: "1 if the agent's kept connection to the target is open, or its newest fresh one worked.",
    type: "gauge",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({ read: fromTargets((watched) => value(isUp(watched))) }),
  },
  {
    name: `${PREFIX}health_status`,
    help: "1 for the status that grpc.health.v1 gives the configured service, 0 for the others.",
    type: "gauge",
    labels: ["target", "grpc_service", "status"],
    inDefaultPod: 4,
    from: () => ({
      read: fromTargets((watched, target) =>
        servicesOf(target).flatMap((service) => {
          const services = knownValue(watched, "health")?.services ?? {};
          const current = own(services, service)?.status;
          if (current === undefined) return [];
          return STATUSES.map((status) => ({
            labels: { grpc_service: service, status },
            value: Number(status === current),
          }));
        }),
      ),
    }),
  },
  {
    name: `${PREFIX}health_transitions_total`,
    help: "Changes of the status that grpc.health.v1 gives the configured service.",
    type: "counter",
    labels: ["target", "grpc_service"],
    inDefaultPod: 1,
    from: () => {
      const healthChange = watchHealth();
      let configured = new Set<string>();
      return {
        starts(plan) {
          const services = everyService(plan);
          configured = new Set(services.map((labels) => JSON.stringify(labels)));
          return services;
        },
        observe(observation) {
          const change = healthChange(observation);
          if (change?.from === undefined) return [];
          const labels = { target: change.target, grpc_service: change.service };
          return configured.has(JSON.stringify(labels)) ? [{ labels, value: 1 }] : [];
        },
      };
    },
  },
];
