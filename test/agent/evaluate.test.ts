import { expect, it } from "vitest";
import { createEvaluation } from "../../src/agent/evaluate.ts";
import { defineDetector } from "../../src/detectors/detector.ts";
import { createTracker } from "../../src/findings/tracker.ts";
import { createStore } from "../../src/store/store.ts";
import { createManualClock } from "../support/clock.ts";
import { someSettings } from "../support/findings.ts";
import { APP, anOpeningAt, targetIn } from "../support/observations.ts";
import { NOW, SECOND } from "../support/snapshot.ts";

const nothing = () => undefined;

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
  const settings = someSettings(detectors);
  const evaluation = createEvaluation({
    clock,
    store,
    tracker: createTracker({ detectors }),
    detectors,
    settings: () => settings,
    hear: nothing,
    change: nothing,
    reconcile: nothing,
    epoch: nothing,
    dead: nothing,
  });
  for (let second = 0; second <= 30; second++) {
    evaluation.evaluate();
    await clock.advance(SECOND);
  }
  const baseline = targetIn(store.snapshot(clock.now())).baselines["app-frozen/reply"];
  expect(baseline).toMatchObject({ mean: 5, weight: 4 });
  expect(taken).toBe(7);
});
