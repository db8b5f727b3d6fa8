import type { Health, HealthTransition, ServiceHealth } from "../../model/facts/health.ts";
import { own } from "../../model/own.ts";
import { defineFold, type FoldContext, type InputOf } from "../fold.ts";
import { pushed } from "../ring.ts";

const MOST_SERVICES = 10;
const MOST_TRANSITIONS = 40;
/** 2.5 × the cadence of Check. */
const POLLED_AGE_MS = 25_000;
/** An answer to Check is told at most 4 s after the server gave it: 2 s for it, and 2 s for another small call. */
const LATE_MS = 5000;

type Services = Health["services"];

/**
 * The health of every watched service. A Watch stream speaks only when a status changes, so what it
 * said holds until its connection ends; what Check said grows old like any poll. NOT_FOUND is the
 * answer of Check (and of Watch on some servers) for a name that the server does not know.
 */
export const healthFold = defineFold({
  fact: "health",
  of: ["app", "upstream"],
  source: "health",
  reads: ["health/status", "health/error"],
  alsoReads: ["config/configured"],
  bound: "10 services, 40 transitions each",
  maxAgeMs: ({ via }) => (via === "watch" ? Number.POSITIVE_INFINITY : POLLED_AGE_MS),
  lapses: { on: "connection/closed", afterMs: POLLED_AGE_MS },
  inNewEpoch: "goes",
  isNews: hasNews,

  fold(previous: Health | undefined, input, context) {
    const services = previous?.services ?? {};
    if (input.kind === "configured") return withoutRemoved(services, input, context);
    const known = own(services, input.service);
    const room = roomFor(services, input.service, context);
    if (room === undefined) return undefined;
    return { services: { ...room, [input.service]: judged(known, input) } };
  },
});

function hasNews(before: Health | undefined, after: Health): boolean {
  return Object.entries(after.services).some(([name, service]) => {
    const last = before && own(before.services, name);
    const isFirstError = service.errors !== undefined && last?.errors === undefined;
    return last?.status !== service.status || isFirstError;
  });
}

function judged(
  known: ServiceHealth | undefined,
  input: InputOf<"health/status"> | InputOf<"health/error">,
): ServiceHealth {
  const { at, via } = input;
  const last = known ?? { ...NEVER_DECLARED, sinceAt: at, via };
  if (input.kind === "status") return declared(last, input);
  if (input.code === "NOT_FOUND") return declared(last, { at, via, status: "SERVICE_UNKNOWN" });
  const { code, text } = input;
  const { since = at, count = 0 } = last.errors ?? {};
  return { ...last, errors: { count: count + 1, since, lastAt: at, code, text } };
}

const NEVER_DECLARED: Omit<ServiceHealth, "sinceAt" | "via"> = {
  status: "UNKNOWN",
  everServing: false,
  everKnown: false,
  transitions: [],
  unknownInRow: 0,
};

type Declared = Pick<InputOf<"health/status">, "at" | "via" | "status" | "isFirst">;

function declared(before: ServiceHealth, told: Declared): ServiceHealth {
  const { at, via, status } = told;
  const last = settled(before, told);
  const { errors: _over, ...known } = last;
  const isSame = last.status === status;
  const isUnknown = status === "SERVICE_UNKNOWN";
  return {
    ...known,
    status,
    sinceAt: isSame ? last.sinceAt : at,
    // A Check that agrees with the stream takes nothing from the better witness.
    via: isSame && last.via === "watch" ? "watch" : via,
    everServing: last.everServing || status === "SERVING",
    everKnown: last.everKnown || !isUnknown,
    transitions: transitionsTo(last, told),
    unknownInRow: isUnknown ? last.unknownInRow + 1 : 0,
  };
}

function transitionsTo(last: ServiceHealth, told: Declared): readonly HealthTransition[] {
  const { status: from, transitions, everKnown } = last;
  const { at, status: to, isFirst = false } = told;
  const isTransition =
    everKnown && from !== to && from !== "SERVICE_UNKNOWN" && to !== "SERVICE_UNKNOWN";
  if (!isTransition) return transitions;
  const isReopened = isFirst || mayBeLate(last, told);
  const transition = { at, from, to, ...(isReopened ? { isReopened } : {}) };
  return pushed(transitions, transition, MOST_TRANSITIONS);
}

/** A Check takes back what the Watch has just told: the answer may be of before that. */
function mayBeLate({ via, sinceAt, transitions }: ServiceHealth, told: Declared): boolean {
  const last = transitions.at(-1);
  const isBack = last?.at === sinceAt && last.from === told.status;
  return isBack && via === "watch" && told.via === "check" && told.at - sinceAt <= LATE_MS;
}

/** What is told next says whether a Check was late: then nothing had changed, else its change counts. */
function settled(last: ServiceHealth, { status }: Declared): ServiceHealth {
  const { via, sinceAt, transitions } = last;
  const doubted = transitions.at(-1);
  // What one Watch says and the next stays in doubt; there `via` is the Watch.
  const isDoubted = via === "check" && doubted?.at === sinceAt && doubted.isReopened === true;
  if (!isDoubted) return last;
  const { isReopened: _settled, ...change } = doubted;
  const others = transitions.slice(0, -1);
  if (status === last.status) return { ...last, transitions: [...others, change] };
  const told = others.at(-1);
  if (status !== doubted.from || told === undefined) return last;
  return { ...last, status, sinceAt: told.at, via: "watch", transitions: others };
}

/** The services with room for one of this name; a configured name displaces a discovered one. */
function roomFor(services: Services, name: string, context: FoldContext): Services | undefined {
  if (Object.hasOwn(services, name) || Object.keys(services).length < MOST_SERVICES)
    return services;
  const configured = context.fact("expectation")?.health.services ?? [];
  if (!configured.includes(name)) return undefined;
  const leaving = Object.keys(services).findLast((other) => !configured.includes(other));
  return leaving === undefined ? undefined : without(services, [leaving]);
}

/** A name that was configured and is no more is watched no more. */
function withoutRemoved(
  services: Services,
  { expectation }: InputOf<"config/configured">,
  context: FoldContext,
): Health | undefined {
  const before = context.fact("expectation")?.health.services ?? [];
  const removed = before.filter((name) => !expectation.health.services.includes(name));
  const isHeld = removed.some((name) => Object.hasOwn(services, name));
  return isHeld ? { services: without(services, removed) } : undefined;
}

function without(services: Services, names: readonly string[]): Services {
  return Object.fromEntries(Object.entries(services).filter(([name]) => !names.includes(name)));
}
