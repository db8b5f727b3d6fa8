import { downDependency } from "../model/dependencies.ts";
import { durationText } from "../model/duration-text.ts";
import { type Expectation, mayBeBalanced } from "../model/facts/expectation.ts";
import type { Health, ServiceHealth } from "../model/facts/health.ts";
import type { Facts } from "../model/facts/index.ts";
import type { Severity, Symptom } from "../model/finding.ts";
import { isExpectedService, isServiceOfCalls } from "../model/named-service.ts";
import type { Instant } from "../model/time.ts";
import { appFrozen } from "./app-frozen.ts";
import { defineDetector } from "./detector.ts";
import { UNREACHABLE } from "./root-causes.ts";
import { streamsRefused } from "./streams-refused.ts";

/**
 * The server declares that it does not serve, or answers health with errors.
 *
 * The status is the app's own word, so one witness convicts. A name that was never SERVING is given
 * the start-up time of its target; one that only the server's list knows may rest NOT_SERVING on purpose, or
 * fall when its role moves to another server: it is more than an information only where calls go to it.
 * UNKNOWN after SERVING is as bad as NOT_SERVING: who checks health takes nothing but SERVING for fit.
 *
 * Source: grpc/health/v1/health.proto, gRFC A17 (client-side health checking).
 */
export const healthNotServing = defineDetector({
  code: "health-not-serving",
  title: "The server does not declare the health that is expected",
  layer: "handler",
  severity: "critical",
  remedy:
    "The app declares itself unfit: read its readiness conditions, or repair the dependency that is named.",
  lacks:
    "answers of health with a status: it refuses the agent, who may lack the metadata that clients send, or has not been asked often enough",
  holdMs: 30_000,
  clearAfterMs: 60_000,
  limits: {
    errors: {
      unit: "count",
      default: 3,
      min: 1,
      max: 100,
      says: "Answers in a row that are gRPC errors and no status, before they are told",
    },
  },
  needs: ["health", "expectation"],
  uses: ["channels", "services"],
  causes: [appFrozen, streamsRefused],
  dependencyCauses: UNREACHABLE,
  // A status that was declared came through.
  explainedBy: ({ code }, { cause }) => code !== streamsRefused.code || cause === "check-error",

  detect({ now, stamp, health, expectation, ...others }, { errors }) {
    if (expectation.health.expect === "any") return [];
    const services = Object.entries(health.services);
    if (services.length > 0 && services.every(([, state]) => isRefusal(state))) return undefined;
    const symptoms = services.flatMap(([service, state]): readonly Symptom[] => {
      const asked = { now, stamp, service, state, expectation, services: others.services };
      const verdict = checkError(asked, errors) ?? declared(asked);
      if (verdict === undefined) return [];
      const dependency = downDependency(others.channels);
      return [
        {
          subject: { service },
          severity: verdict.severity,
          witnesses: ["health"],
          isDeterministic: true,
          ...(verdict.isStarting ? { isSuspicion: true, holdMs: expectation.startupMs } : {}),
          summary: verdict.summary,
          ...(verdict.remedy === undefined ? {} : { remedy: verdict.remedy }),
          evidence: {
            ...verdict.evidence,
            expected: expectation.health.expect,
            everServing: state.everServing,
            via: state.via,
            otherServices: othersOf(service, health),
            ...(dependency === undefined ? {} : { dependency }),
          },
        },
      ];
    });
    const isUnsure = services.some(([service, state]) =>
      isErrorSeenBriefly(service, state, expectation),
    );
    return symptoms.length === 0 && isUnsure ? undefined : symptoms;
  },
});

interface Asked {
  readonly now: Instant;
  readonly stamp: (at: Instant) => string;
  readonly service: string;
  readonly state: ServiceHealth;
  readonly expectation: Expectation;
  readonly services: Facts["services"] | undefined;
}

type Verdict = Required<Pick<Symptom, "severity" | "summary" | "evidence">> & {
  /** It has time to come up yet. */
  readonly isStarting?: boolean;
  /** Where the app has declared nothing. */
  readonly remedy?: string;
};

function declared(asked: Asked): Verdict | undefined {
  const { now, stamp, service, state, expectation } = asked;
  const severity = declaredSeverity(asked);
  if (severity === undefined) return undefined;
  const { status, sinceAt, everServing } = state;
  return {
    severity,
    summary: `${nameOf(service)} has declared ${status} for ${durationText(now - sinceAt)}`,
    evidence: { cause: "declared", status, sinceAt: stamp(sinceAt) },
    isStarting: !everServing && now - sinceAt < expectation.startupMs,
  };
}

/** Of what was SERVING: who checks health takes nothing else for fit. */
const UNFIT: ReadonlySet<string> = new Set(["NOT_SERVING", "UNKNOWN"]);

/** What the declared status is worth; `undefined` where it is as expected, or nobody expects anything. */
function declaredSeverity(asked: Asked): Severity | undefined {
  const { service, state, expectation } = asked;
  const { status, everServing } = state;
  const isNamed = isExpectedService(service, expectation);
  if (expectation.health.expect === "NOT_SERVING")
    return isNamed && status === "SERVING" ? "warning" : undefined;
  if (everServing && UNFIT.has(status)) return fallenSeverity(asked);
  if (status !== "NOT_SERVING") return undefined;
  return isNamed ? "warning" : "info";
}

/** A name that nobody calls may be a role that another server has now, such as a leader's. */
function fallenSeverity(asked: Asked): Severity {
  const { service, expectation, services } = asked;
  if (!isServiceOfCalls(service, expectation, services)) return "info";
  return isExpectedService(service, expectation) && !mayBeAnothers(asked) ? "critical" : "warning";
}

/** It changed from one Watch to the next: a proxy may have opened that at another replica. */
function mayBeAnothers({ state, expectation }: Asked): boolean {
  return mayBeBalanced(expectation) && state.transitions.at(-1)?.isReopened === true;
}

/**
 * A name that never had a status answers with an error that the server chose: an interceptor that asks for
 * credentials or a tenant refuses us, not the app's callers. UNAVAILABLE is a proxy's word for a dead upstream.
 */
function isRefusal({ everKnown, errors }: ServiceHealth): boolean {
  return !everKnown && errors !== undefined && errors.code !== "UNAVAILABLE";
}

/** A proxy answers for a dead upstream, or the handler of health itself fails. */
function checkError(
  { stamp, service, state, expectation }: Asked,
  limit: number,
): Verdict | undefined {
  const { errors } = state;
  if (errors === undefined || errors.count < limit || isRefusal(state)) return undefined;
  if (!isExpectedService(service, expectation)) return undefined;
  const { code, text, count, since } = errors;
  return {
    severity: "warning",
    summary: `${nameOf(service)} was answered ${code} ${count} times in a row by a working connection`,
    remedy:
      "The app declares nothing: a proxy answers for a server that it does not reach, or the handler of health fails. Read the text in the evidence, and ask the server without the proxy.",
    evidence: { cause: "check-error", status: code, statusText: text, sinceAt: stamp(since) },
  };
}

/** Nothing but errors has been answered, and too few of them to accuse. */
function isErrorSeenBriefly(
  service: string,
  state: ServiceHealth,
  expectation: Expectation,
): boolean {
  const isError = state.errors !== undefined && !state.everKnown && !isRefusal(state);
  return isError && isExpectedService(service, expectation);
}

function nameOf(service: string): string {
  return service === "" ? "Health of the server" : `Health of ${service}`;
}

function othersOf(service: string, { services }: Health): readonly string[] {
  return Object.entries(services)
    .filter(([name]) => name !== service)
    .map(([name, { status }]) => `${name === "" ? '""' : name} ${status}`);
}
