import { describe, expect, it } from "vitest";
import {
  createEvaluation,
  type Evaluation,
  type EvaluationParts,
} from "../../src/agent/evaluate.ts";
import { plan } from "../../src/agent/plan.ts";
import { defineDetector } from "../../src/detectors/detector.ts";
import { tlsCertExpired } from "../../src/detectors/tls-cert-expired.ts";
import { createTracker } from "../../src/findings/tracker.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { createManualClock, type ManualClock } from "../support/clock.ts";
import { someSettings } from "../support/findings.ts";
import {
  APP,
  aGoawayAt,
  anOpeningAt,
  anXrayAt,
  aReadAt,
  targetIn,
} from "../support/observations.ts";
import {
  aCertificate,
  anExpectation,
  DAY,
  HOUR,
  NOW,
  SECOND,
  someTls,
} from "../support/snapshot.ts";

const nothing = () => undefined;

function anEvaluation(
  parts: Pick<EvaluationParts, "clock" | "store" | "detectors"> & Partial<EvaluationParts>,
): Evaluation {
  const settings = someSettings(parts.detectors);
  return createEvaluation({
    tracker: createTracker({ detectors: parts.detectors }),
    plan,
    settings: () => settings,
    hear: nothing,
    change: nothing,
    reconcile: nothing,
    epoch: nothing,
    dead: nothing,
    ...parts,
  });
}

it("learns what is usual from a sample in ten seconds, and takes few that it does not use", async () => {
  let taken = 0;
  const learner = defineDetector({
    code: "app-frozen",
    title: "t",
    layer: "tcp",
    severity: "warning",
    remedy: "r",
    holdMs: 0,
    clearAfterMs: 60_000,
    limits: {},
    needs: ["kept"],
    learns: {
      reply: () => {
        taken += 1;
        return { value: 5, weight: 1 };
      },
    },
    detect: () => [],
  });
  const detectors = [learner];
  const clock = createManualClock(NOW);
  const store = createStore({ startedAt: NOW });
  store.register(APP, NOW);
  store.append(anOpeningAt(0));
  const evaluation = anEvaluation({ clock, store, detectors });
  for (let second = 0; second <= 30; second++) {
    evaluation.evaluate();
    await clock.advance(SECOND);
  }
  const baseline = targetIn(store.snapshot(clock.now())).baselines["app-frozen/reply"];
  expect(baseline).toMatchObject({ mean: 5, weight: 4 });
  expect(taken).toBe(7);
});

describe("the tick of each second", () => {
  /** Ticks for so many seconds; when the world was judged, in seconds. */
  async function ticked(
    seconds: number,
    happens: (at: number, store: Store, clock: ManualClock) => void = nothing,
    { sick = false, seen = [aReadAt(0), anOpeningAt(0)] } = {},
  ): Promise<readonly number[]> {
    const looks: number[] = [];
    const looker = defineDetector({
      code: "app-frozen",
      title: "t",
      layer: "tcp",
      severity: "warning",
      remedy: "r",
      holdMs: HOUR,
      clearAfterMs: 60_000,
      limits: {},
      needs: ["kept"],
      detect: () =>
        sick ? [{ subject: {}, witnesses: ["connection"], summary: "s", evidence: {} }] : [],
    });
    const clock = createManualClock(NOW);
    const store = createStore({ startedAt: NOW });
    store.register(APP, NOW);
    for (const observation of seen) store.append(observation);
    const reconcile = () => void looks.push((clock.now() - NOW) / SECOND);
    const evaluation = anEvaluation({ clock, store, detectors: [looker], reconcile });
    for (let second = 0; second <= seconds; second++) {
      happens(second, store, clock);
      evaluation.tick();
      await clock.advance(SECOND);
    }
    return looks;
  }

  it("judges each fifth second while nothing was heard and nothing is open", async () => {
    expect(await ticked(11)).toEqual([0, 5, 10]);
  });

  it("judges at once what was heard, and counts from there", async () => {
    const read = (at: number, store: Store) => at === 3 && store.append(aReadAt(3));
    expect(await ticked(9, read)).toEqual([0, 3, 8]);
  });

  it("judges at once when a source says of what it cannot see, and only the first time", async () => {
    const capability = { source: "channelz", kind: "capability", available: false } as const;
    const told = (at: number, store: Store) =>
      at > 1 && store.append({ ...capability, target: "app", at: NOW + at * SECOND, reason: "r" });
    expect(await ticked(8, told)).toEqual([0, 2, 7]);
  });

  it("judges each second while a finding is open", async () => {
    expect(await ticked(4, nothing, { sick: true })).toEqual([0, 1, 2, 3, 4]);
  });

  it("judges each second while a target goes down", async () => {
    const goaway = (at: number, store: Store) => at === 1 && store.append(aGoawayAt(1));
    expect(await ticked(5, goaway)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("judges each second while a target has not listened yet", async () => {
    expect(await ticked(3, nothing, { seen: [] })).toEqual([0, 1, 2, 3]);
  });

  it("judges at once when the wall clock was set", async () => {
    const set = (at: number, _store: Store, clock: ManualClock) =>
      at === 2 && clock.setWall(clock.now() + DAY);
    expect(await ticked(6, set)).toEqual([0, 2]);
  });
});

describe.each([
  ["forward", DAY, ["tls-cert-expired"]],
  ["back", -DAY, []],
])("a wall clock that is set %s by a day", (_how, setBy, codes) => {
  it("ages no fact and keeps none, and the certificate's dates are the wall clock's", async () => {
    const detectors = [tlsCertExpired];
    const clock = createManualClock(NOW);
    const store = createStore({ startedAt: NOW });
    const lasting = aCertificate({ notBefore: NOW - 90 * DAY, notAfter: NOW + 12 * HOUR });
    const tls = someTls({ chain: [lasting] });
    store.register(APP, NOW);
    const expectation = anExpectation();
    const configured = { source: "config", kind: "configured", target: "app", at: NOW } as const;
    store.append({ ...configured, expectation });
    store.append(anXrayAt(0, { spoke: "tls", tls }));
    const evaluation = anEvaluation({ clock, store, detectors });
    const stateAt = async (seconds: number) => {
      await clock.advance(NOW + seconds * SECOND - clock.now());
      const { snapshot } = evaluation.evaluate();
      return targetIn(snapshot).facts.xray?.state;
    };
    store.append(anXrayAt(1, { spoke: "tls", tls }));
    expect(await stateAt(2)).toBe("known");
    clock.setWall(clock.now() + setBy);
    expect(await stateAt(75)).toBe("known");
    expect(evaluation.latest().report.active.map(({ code }) => code)).toEqual(codes);
    expect(evaluation.latest().report.generatedAt).toBe(NOW + 75 * SECOND + setBy);
    expect(await stateAt(77)).toBe("unknown");
  });
});

it("lets a target be connected to again when its drain is over without a new epoch", async () => {
  const clock = createManualClock(NOW);
  const store = createStore({ startedAt: NOW });
  const released: string[] = [];
  const epoch = (target: string) => void released.push(`${target} ${(clock.now() - NOW) / SECOND}`);
  const evaluation = anEvaluation({ clock, store, detectors: [], epoch });
  store.register(APP, NOW);
  const seen = [aReadAt(0), anOpeningAt(0), aGoawayAt(1), aReadAt(6), anXrayAt(7)];
  for (const observation of seen) {
    await clock.advance(observation.at - clock.now());
    store.append(observation);
    evaluation.evaluate();
  }
  expect(released).toEqual(["app 7"]);
});
