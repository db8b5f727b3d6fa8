import { durationText } from "../model/duration-text.ts";
import type { Services } from "../model/facts/services.ts";
import type { Symptom } from "../model/finding.ts";
import { nearestName } from "../model/nearest.ts";
import { own } from "../model/own.ts";
import { defineDetector } from "./detector.ts";

/** A Check is repeated; a Watch that says SERVICE_UNKNOWN goes on saying so while it is open. */
const LEAST_ANSWERS = { check: 2, watch: 1 } as const;

/**
 * Health is asked for a service name that the server does not know.
 *
 * A readiness probe or a client that asks by this name never gets SERVING. Only names that somebody
 * configured are judged: grpc-js and .NET do not even know `""`.
 *
 * Source: grpc/health/v1/health.proto (NOT_FOUND from Check, SERVICE_UNKNOWN from Watch).
 */
export const healthUnknownService = defineDetector({
  code: "health-unknown-service",
  title: "The server's health service does not know the configured name",
  layer: "handler",
  severity: "warning",
  remedy:
    "Use the name that the server registered (the full `package.Service`), or register this one with the health service.",
  lacks: "an answer about every name that is configured",
  holdMs: 30_000,
  clearAfterMs: 60_000,
  expects: {
    what: "a name under `health.services` of the target",
    isStated: ({ health }) => health.services.some((name) => name !== ""),
  },
  limits: {
    grace: {
      unit: "ms",
      default: 60_000,
      min: 0,
      max: 3_600_000,
      says: "How long a name may be unknown after a start before it was known once",
    },
  },
  needs: ["health", "expectation"],
  uses: ["services"],

  detect({ now, stamp, health, expectation, services }, { grace }) {
    // One look knows no start-up, and asks once.
    const isOneLook = expectation.startupMs === 0;
    const graceMs = isOneLook ? 0 : grace;
    const names = expectation.health.services.filter((name) => name !== "");
    const symptoms = names.flatMap((service): readonly Symptom[] => {
      const state = own(health.services, service);
      if (state?.status !== "SERVICE_UNKNOWN") return [];
      const { via, sinceAt, unknownInRow, everKnown } = state;
      const unknownMs = now - sinceAt;
      const least = isOneLook ? 1 : LEAST_ANSWERS[via];
      if (unknownInRow < least || (!everKnown && unknownMs < graceMs)) return [];
      const known = knownNames(services);
      const nearest = nearestName(service, known);
      return [
        {
          subject: { service },
          witnesses: ["health"],
          summary: `The server has not known ${service} for ${durationText(unknownMs)}${
            nearest === undefined ? "" : `; the nearest name that it knows is ${nearest}`
          }`,
          evidence: {
            answer: via === "check" ? "NOT_FOUND" : "SERVICE_UNKNOWN",
            via,
            sinceAt: stamp(sinceAt),
            known,
            ...(nearest === undefined ? {} : { nearest }),
          },
        },
      ];
    });
    const isUnsure = names.some((service) => own(health.services, service) === undefined);
    return symptoms.length === 0 && isUnsure ? undefined : symptoms;
  },
});

/** What health lists, else the services that reflection describes; `""` is no name to suggest. */
function knownNames(services: Services | undefined): readonly string[] {
  const reflected = services?.methods?.map(({ name }) => name.split("/", 1)[0] ?? name);
  const names = services?.health ?? reflected ?? [];
  return [...new Set(names)].filter((name) => name !== "").toSorted();
}
