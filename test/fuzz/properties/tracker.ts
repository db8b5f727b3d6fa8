import assert from "node:assert/strict";
import fc from "fast-check";
import type { Detector } from "../../../src/detectors/detector.ts";
import {
  type FindingChange,
  type FindingTransition,
  findingKey,
  type Symptom,
} from "../../../src/model/finding.ts";
import { aCourse, aDetector, aSymptom } from "../../support/findings.ts";
import { defineProperty } from "../property.ts";

const SECOND = 1000;
/** Nothing is resolved sooner, whatever is configured. */
const LEAST_CLEAR_S = 60;
/** A root may be found so much later than what it causes. */
const LATER_MS = 60 * SECOND;

const holds = [0, 0, 5, 30, 90] as const;
const world = fc.record({
  /** Codes a to e; the causes of each are among those before it, so that no circle is declared. */
  codes: fc.array(
    fc.record({
      hold: fc.constantFrom(...holds),
      clear: fc.constantFrom(1, 60, 120),
      causes: fc.nat(31),
      waits: fc.boolean(),
    }),
    { minLength: 2, maxLength: 5 },
  ),
  /** What is seen at each look: a symptom is present in 0 to 2 subjects, or the code is not judged. */
  looks: fc.array(
    fc.record({
      after: fc.constantFrom(1, 1, 5, 20, 61, 600, 4000),
      seen: fc.array(fc.constantFrom("none", "one", "two", "both", "critical", "unjudged"), {
        minLength: 5,
        maxLength: 5,
      }),
    }),
    { minLength: 1, maxLength: 30 },
  ),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;
type Sight = World["looks"][number]["seen"][number];

const LETTERS = ["a", "b", "c", "d", "e"] as const;

function detectorsOf({ codes }: World): readonly Detector[] {
  const made: Detector[] = [];
  for (const [at, { hold, clear, causes, waits }] of codes.entries()) {
    const before = made.filter((_, index) => (causes >> index) % 2 === 1);
    made.push(
      aDetector(LETTERS[at] ?? "z", {
        holdMs: hold * SECOND,
        clearAfterMs: clear * SECOND,
        causes: before,
        waitsForCauses: waits,
      }),
    );
  }
  return made;
}

function symptomsOf(sight: Sight): readonly Symptom[] | "unjudged" {
  const one = aSymptom({ subject: { name: "one" } });
  const two = aSymptom({ subject: { name: "two" } });
  switch (sight) {
    case "none":
      return [];
    case "one":
      return [one];
    case "two":
      return [two];
    case "both":
      return [one, two];
    case "critical":
      return [{ ...one, severity: "critical", isDeterministic: true }];
    case "unjudged":
      return "unjudged";
  }
}

const AFTER: Readonly<Record<"none" | "open" | "suppressed", readonly FindingTransition[]>> = {
  none: ["opened"],
  open: ["escalated", "reminded", "suppressed", "resolved"],
  suppressed: ["opened", "resolved"],
};
const STATE_AFTER = {
  opened: "open",
  escalated: "open",
  reminded: "open",
  suppressed: "suppressed",
  resolved: "none",
} as const;

/** What the sinks heard of one identity, and what may come next. */
class Life {
  /** A finding that a root took over may end so, or stand alone again once the root has gone. */
  state: "none" | "open" | "suppressed" = "none";
  /** Since when it is present without an absence between; `undefined` while it is absent. */
  presentSinceS: number | undefined;
  lastPresentS = Number.NEGATIVE_INFINITY;
  count = 0;
  firstSeen = 0;

  hear({ transition, finding, why }: FindingChange, nowS: number, detector: Detector): void {
    assert.ok(AFTER[this.state].includes(transition), `${transition} after ${this.state}`);
    if (transition === "opened") {
      assert.ok(
        this.presentSinceS !== undefined && nowS - this.presentSinceS >= detector.holdMs / SECOND,
        `${finding.code} opened before its hold`,
      );
      if (this.state === "none") [this.count, this.firstSeen] = [finding.count, finding.firstSeen];
    }
    assert.ok(finding.count >= this.count, "a count fell");
    assert.equal(finding.firstSeen, this.firstSeen);
    this.count = finding.count;
    // What was taken over is in no scrape: it may end with its root.
    if (this.state === "open" && why === "cleared")
      assert.ok(nowS - this.lastPresentS >= LEAST_CLEAR_S, `${finding.code} cleared too soon`);
    this.state = STATE_AFTER[transition];
  }

  see(isPresent: boolean, nowS: number): void {
    if (isPresent) this.lastPresentS = nowS;
    this.presentSinceS = isPresent ? (this.presentSinceS ?? nowS) : undefined;
  }
}

export const trackedLives = defineProperty({
  name: "tracked-lives",
  runs: 50,
  input: world,
  check(given) {
    const detectors = detectorsOf(given);
    const course = aCourse(detectors);
    const lives = new Map<string, Life>();
    let nowS = 0;
    const lifeOf = (code: string, name: string) => {
      const key = findingKey(code, "app", { name });
      const life = lives.get(key) ?? new Life();
      lives.set(key, life);
      return life;
    };
    const look = (sights: readonly Sight[], afterS: number) => {
      nowS += afterS;
      const judged = detectors.map(
        ({ code }, at) => [code, symptomsOf(sights[at] ?? "none")] as const,
      );
      for (const [code, symptoms] of judged) {
        if (symptoms === "unjudged") continue;
        for (const name of ["one", "two"])
          lifeOf(code, name).see(
            symptoms.some(({ subject }) => subject["name"] === name),
            nowS,
          );
      }
      for (const change of course.changesAt(nowS, { seen: Object.fromEntries(judged) })) {
        const { code, subject, target } = change.finding;
        assert.equal(target, "app");
        const detector = detectors.find((one) => one.code === code) ?? assert.fail();
        lifeOf(code, subject["name"] ?? "").hear(change, nowS, detector);
      }
      assertReport();
    };
    const assertReport = () => {
      const { active, pending, suppressed } = course.report();
      const shown = [...active, ...pending, ...suppressed].map(({ code, subject }) =>
        findingKey(code, "app", subject),
      );
      assert.equal(new Set(shown).size, shown.length, "one identity, twice");
      // One root of each chain: no active finding has an active cause that began in time.
      for (const finding of active) {
        const { causes = [] } = detectors.find(({ code }) => code === finding.code) ?? {};
        const reasons = active.filter(
          ({ code, firstSeen }) =>
            causes.some((cause) => cause.code === code) &&
            firstSeen <= finding.firstSeen + LATER_MS,
        );
        assert.deepEqual(
          reasons.map(({ code }) => code),
          [],
          `${finding.code} stands beside its cause`,
        );
      }
      for (const { activeInSeconds } of pending) assert.ok(activeInSeconds >= 0);
    };

    for (const { after, seen } of given.looks) look(seen, after);
    // All is well from now on: every identity must come to its end.
    for (let left = 0; left < 12; left += 1) look([], 61);
    const { active, pending, suppressed } = course.report();
    assert.deepEqual([active, pending, suppressed], [[], [], []]);
    assert.ok(
      [...lives.values()].every(({ state }) => state === "none"),
      "an identity was never resolved",
    );
    assert.deepEqual(course.openCodes(), []);
  },
});
