import type { Reach } from "../../model/facts/reach.ts";
import type { Instant } from "../../model/time.ts";
import type { DialAttempt, XrayReport } from "../../model/xray.ts";
import { defineFold, type FoldContext } from "../fold.ts";
import { bounded, pushed } from "../ring.ts";

const MOST_ATTEMPTS = 40;
const MOST_ADDRESSES = 40;
const MAX_AGE_MS = 75_000;

type Run = Reach["runs"][string];

/**
 * What our own connects met. A connect of the kept connection counts as one that worked; a round is
 * an X-ray that came as far as dialling, so a name without an answer makes none.
 */
export const reachFold = defineFold({
  fact: "reach",
  of: ["app", "upstream"],
  source: "preflight",
  reads: ["preflight/xray", "connection/opened"],
  bound: "40 attempts, the runs of 40 addresses",
  maxAgeMs: MAX_AGE_MS,
  inNewEpoch: "stays",
  isNews: (before, after) => (before?.failing === undefined) !== (after.failing === undefined),

  fold(previous, input, context) {
    if (input.kind === "opened") {
      return dialled(previous, { at: input.at, dials: [keptDial(input)] }, context);
    }
    const { dials, podDial } = input.report;
    if (dials.length === 0 && podDial === undefined) return undefined;
    return withPod(dialled(previous, { at: input.at, dials }, context), podDial, input.at);
  },
});

interface Round {
  readonly at: Instant;
  readonly dials: readonly DialAttempt[];
}

function dialled(before: Reach | undefined, round: Round, context: FoldContext): Reach {
  const { at, dials } = round;
  const { failing: _failing, ...last } = before ?? { ...UNTRIED, firstTriedAt: at };
  const connected = dials.some((dial) => dial.outcome === "connected");
  const failing = connected ? undefined : failingRounds(before, round);
  const runs = dials.reduce(
    (all, dial) => ({ ...all, [dial.address]: runOn(all[dial.address], dial) }),
    last.runs,
  );
  return {
    ...last,
    attempts: dials.reduce((all, dial) => pushed(all, dial, MOST_ATTEMPTS), last.attempts),
    everListened: last.everListened || context.everListened || connected,
    runs: bounded(runs, MOST_ADDRESSES, (a, b) => b.lastAt - a.lastAt),
    ...(connected ? { lastConnectedAt: at } : {}),
    ...(failing === undefined ? {} : { failing }),
  };
}

const UNTRIED: Omit<Reach, "firstTriedAt"> = { attempts: [], everListened: false, runs: {} };

function failingRounds(before: Reach | undefined, { at, dials }: Round): Reach["failing"] {
  const { failing } = before ?? {};
  if (dials.length === 0) return failing;
  return { since: failing?.since ?? at, lastAt: at, rounds: (failing?.rounds ?? 0) + 1 };
}

function runOn(run: Run | undefined, { at, outcome, errno }: DialAttempt): Run {
  const isSame = run?.outcome === outcome && run.errno === errno;
  return {
    outcome,
    since: isSame ? run.since : at,
    lastAt: at,
    count: isSame ? run.count + 1 : 1,
    ...(errno === undefined ? {} : { errno }),
  };
}

/** The pod's address is dialled only while it matters: what was long ago says nothing any more. */
function withPod(reach: Reach, dial: XrayReport["podDial"], at: Instant): Reach {
  const { pod, ...rest } = reach;
  if (dial !== undefined) {
    const run = pod?.address === dial.address ? pod : undefined;
    return { ...rest, pod: { address: dial.address, ...runOn(run, dial) } };
  }
  return pod === undefined || at - pod.lastAt > MAX_AGE_MS ? rest : reach;
}

function keptDial(opened: {
  readonly at: Instant;
  readonly address: string;
  readonly connectMs: number;
}): DialAttempt {
  const { at, address, connectMs } = opened;
  return { at, address, family: familyOf(address), outcome: "connected", connectMs };
}

function familyOf(address: string): DialAttempt["family"] {
  if (address.startsWith("unix:")) return "unix";
  return address.startsWith("[") ? "ipv6" : "ipv4";
}
