import type { Expectation } from "../model/facts/expectation.ts";
import type { Observation } from "../model/observation.ts";
import type { Instant } from "../model/time.ts";
import type { XrayReport } from "../model/xray.ts";

/** A port of the app that was not there at the first look, and is waited for. */
export interface ListenWait {
  readonly target: string;
  /** As configured. */
  readonly address: string;
  readonly startupMs: number;
  readonly at: Instant;
}

/** Bounds what is remembered of targets that come and go with the configuration. */
const MOST_TARGETS = 100;

interface Expected extends Pick<Expectation, "address" | "startupMs"> {
  /** It was told, or the port has been there. */
  readonly isOver: boolean;
}

/**
 * Sees that the app's port refuses at the first look: no finding speaks of it in its first minute, and a
 * mistyped port must not look like a quiet server. Told once for each address; a port that once took a
 * connection is no more waited for.
 */
export function watchListenWaits(): (observation: Observation) => ListenWait | undefined {
  const expected = new Map<string, Expected>();

  return (observation) => {
    const { target, at } = observation;
    const known = expected.get(target);
    if (observation.kind === "configured") {
      if (known?.address === observation.expectation.address) return undefined;
      expected.set(target, expectedOf(observation.expectation));
      const [oldest] = expected.keys();
      if (expected.size > MOST_TARGETS && oldest !== undefined) expected.delete(oldest);
      return undefined;
    }
    if (observation.kind !== "xray" || known === undefined || known.isOver) return undefined;

    const answer = answerOf(observation.report);
    const { address, startupMs } = known;
    expected.set(target, { ...known, isOver: answer !== undefined });
    return answer === "refused" ? { target, address, startupMs, at } : undefined;
  };
}

function expectedOf({ role, address, startupMs }: Expectation): Expected {
  return { address, startupMs, isOver: role !== "app" || startupMs === 0 };
}

/** `undefined`: nobody knows yet whether it listens. */
function answerOf({ dials }: XrayReport): "connected" | "refused" | undefined {
  const outcomes = dials.map(({ outcome }) => outcome);
  if (outcomes.includes("connected")) return "connected";
  const isRefused = outcomes.length > 0 && outcomes.every((outcome) => outcome === "refused");
  return isRefused ? "refused" : undefined;
}
