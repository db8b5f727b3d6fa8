import type { Observation } from "../model/observation.ts";
import type { Instant } from "../model/time.ts";

/** The drain of one target, as far as it was seen. */
export interface Drain {
  readonly target: string;
  readonly beganAt: Instant;
  /** Its listener was gone, or it served again; absent while it drains. */
  readonly endedAt?: Instant;
  /** Its port never closed: it was called off, or a new process took it over. */
  readonly servesAgain?: true;
  /** Health said NOT_SERVING this long before the drain began to close connections. */
  readonly notServingLeadMs?: number;
}

const NO_ERROR = 0;
/** Bounds what is remembered of targets that come and go with the configuration. */
const MOST_TARGETS = 100;

/** A GOAWAY that no closed listener follows within this time was not a drain (a connection's age). */
const GOAWAY_COUNTS_MS = 60_000;

interface Seen {
  readonly notServingAt?: Instant;
  readonly goawayAt?: Instant;
  /** A listener was seen: only then can it be gone. An upstream never shows one. */
  readonly hasListened?: boolean;
  readonly drain?: Drain;
}

/**
 * Follows the drain of each target: told by a signal, or shown by a GOAWAY after NOT_SERVING or before
 * the listener goes; ended when the listener is gone, or when the target serves again without that, and
 * forgotten when it serves after it. Best effort, as the agent may be stopped first.
 */
export function watchDrains(): (observation: Observation) => Drain | undefined {
  const seen = new Map<string, Seen>();

  return (observation) => {
    const { target } = observation;
    const before = seen.get(target) ?? {};
    const after = step(before, observation);
    if (after === before) return undefined;
    seen.set(target, after);
    const [oldest] = seen.keys();
    if (seen.size > MOST_TARGETS && oldest !== undefined) seen.delete(oldest);
    return after.drain === before.drain ? undefined : after.drain;
  };
}

function step(seen: Seen, observation: Observation): Seen {
  switch (observation.kind) {
    case "status":
      if (observation.service !== "") return seen;
      if (observation.status === "SERVING") return serving(seen, observation.at);
      return { notServingAt: observation.at, ...seen };
    case "signal":
      return begin(seen, observation.target, observation.at);
    case "goaway":
      return observation.goaway.code === NO_ERROR ? goaway(seen, observation) : seen;
    case "read":
      return observation.listeners.length === 0
        ? end(seen, observation)
        : { ...seen, hasListened: true };
    default:
      return seen;
  }
}

/** A listener that was seen is still there: in a new life, or in the old one. */
function serving({ drain, hasListened = false }: Seen, at: Instant): Seen {
  if (drain === undefined || drain.endedAt !== undefined) return {};
  return { hasListened, drain: { ...drain, endedAt: at, servesAgain: true } };
}

function goaway(seen: Seen, { target, at }: Observation): Seen {
  const known = { ...seen, goawayAt: at };
  return seen.notServingAt === undefined ? known : begin(known, target, at);
}

function begin(seen: Seen, target: string, at: Instant): Seen {
  if (seen.drain !== undefined) return seen;
  const { notServingAt } = seen;
  const lead = notServingAt === undefined ? {} : { notServingLeadMs: at - notServingAt };
  return { ...seen, drain: { target, beganAt: at, ...lead } };
}

function end(seen: Seen, { target, at }: Observation): Seen {
  if (seen.hasListened !== true || seen.drain?.endedAt !== undefined) return seen;
  const { goawayAt } = seen;
  const isClosing = goawayAt !== undefined && at - goawayAt <= GOAWAY_COUNTS_MS;
  const begun = isClosing ? begin(seen, target, goawayAt) : seen;
  return begun.drain === undefined ? seen : { ...begun, drain: { ...begun.drain, endedAt: at } };
}
