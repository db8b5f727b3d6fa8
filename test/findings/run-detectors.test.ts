import { describe, expect, it } from "vitest";
import { type Detector, defineDetector } from "../../src/detectors/detector.ts";
import { runDetectors } from "../../src/findings/run-detectors.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Symptom } from "../../src/model/finding.ts";
import type { Known, TargetSnapshot } from "../../src/model/snapshot.ts";
import { aDetector, aSymptom, type SettingsChange, someSettings } from "../support/findings.ts";
import {
  aBaseline,
  aKept,
  anExpectation,
  anOutbound,
  anUpstreamExpectation,
  aServerCalls,
  aTargetSnapshot,
  HOUR,
  known,
  MINUTE,
  NOW,
  SECOND,
  someCrashes,
  somePeers,
  someSurroundings,
} from "../support/snapshot.ts";
import { aTarget } from "../support/targets.ts";

const limits = {};
const record = {
  title: "t",
  layer: "handler",
  severity: "warning",
  remedy: "r",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits,
} as const;

/** Says that it is sick wherever its fact is known. */
const needsKept = defineDetector({
  ...record,
  code: "needs-kept",
  needs: ["kept"],
  detect: () => [aSymptom()],
});

interface World {
  readonly target?: Partial<TargetSnapshot>;
  readonly facts?: { readonly [K in keyof Facts]?: Known<Facts[K]> };
  readonly agent?: Partial<TargetSnapshot>;
  readonly settings?: SettingsChange;
  readonly clock?: readonly number[];
}

function run(detectors: readonly Detector[], world: World = {}) {
  const { target, facts = {}, agent, settings, clock = [0] } = world;
  const ticks = [...clock];
  const state = { ms: 0 };
  return runDetectors({
    snapshot: {
      takenAt: NOW,
      targets: {
        app: aTargetSnapshot({ ...target, facts }),
        "grpc-doctor": aTargetSnapshot(agent),
      },
    },
    settings: someSettings(detectors, settings),
    detectors,
    monotonicMs: () => {
      state.ms += ticks.length > 1 ? (ticks.shift() ?? 0) : (ticks[0] ?? 0);
      return state.ms;
    },
  });
}

const judged = (code: string, symptoms: readonly Symptom[], observedAt: number = NOW) => ({
  code,
  target: "app",
  outcome: "judged",
  symptoms,
  observedAt,
});

describe("a judgement", () => {
  it("is made of what is known, and says how old that is", () => {
    const facts = { kept: known(aKept(), NOW - 7 * SECOND) };
    expect(run([needsKept], { facts })).toEqual({
      verdicts: [judged("needs-kept", [aSymptom()], NOW - 7 * SECOND)],
      unjudged: [],
      events: [],
    });
  });

  it("does not count what stands still by nature as fresh", () => {
    const standing = defineDetector({
      ...record,
      code: "standing",
      needs: ["kept", "expectation"],
      detect: () => [],
    });
    const facts = { kept: known(aKept(), NOW - 7 * SECOND), expectation: known(anExpectation()) };
    expect(run([standing], { facts }).verdicts).toEqual([judged("standing", [], NOW - 7 * SECOND)]);
  });

  it("has the worst symptom first", () => {
    const info = aSymptom({ severity: "info" });
    const critical = aSymptom({ severity: "critical" });
    const several = aDetector("several", { detect: () => [info, aSymptom(), critical] });
    expect(run([several]).verdicts).toEqual([judged("several", [critical, aSymptom(), info])]);
  });

  it("is not asked for where the code is off", () => {
    const settings = { codes: { "needs-kept": { enabled: false } } };
    expect(run([needsKept], { settings })).toEqual({ verdicts: [], unjudged: [], events: [] });
  });

  it("is made about the agent for its own layer only", () => {
    const own = aDetector("own", { layer: "agent" });
    const verdicts = run([own, aDetector("apps")]).verdicts;
    expect(verdicts.map(({ code, target }) => [code, target])).toEqual([
      ["own", "grpc-doctor"],
      ["apps", "app"],
    ]);
  });
});

describe("what is not judged says why", () => {
  const anyOf = defineDetector({
    ...record,
    code: "any-of",
    needs: [],
    uses: ["serverCalls", "appCalls"],
    needsAny: ["serverCalls", "appCalls"],
    detect: () => [],
  });
  const timing = aDetector("timing", { isTiming: true });
  const declines = aDetector("declines", { lacks: "a probe", detect: () => undefined });
  const unavailable = { state: "unavailable", reason: "channelz is not served" } as const;
  const fix = "Register channelz.";

  it.each<[string, Detector, World, { because: string; fix?: string }]>([
    ["not yet observed", needsKept, {}, { because: "the kept connection: not yet observed" }],
    [
      "too old",
      needsKept,
      { facts: { kept: { state: "unknown", why: "stale" } } },
      { because: "the kept connection: the last look is too old" },
    ],
    [
      "not to be seen here",
      needsKept,
      { facts: { kept: { state: "unavailable", reason: "no reply", fix } } },
      { because: "no reply", fix },
    ],
    [
      "neither of two",
      anyOf,
      { facts: { serverCalls: { ...unavailable, fix } } },
      { because: "channelz is not served; the app's own metrics: not yet observed", fix },
    ],
    [
      "timing that is our own",
      timing,
      { target: { timingTrusted: false } },
      { because: "the agent's own timing is not trusted now" },
    ],
    [
      "timing of a target that has just begun",
      timing,
      { target: { timingTrusted: false, epochSince: NOW - 29_000 } },
      { because: "timing is judged from 30 s after the first look on" },
    ],
    [
      "declined by the detector",
      declines,
      { target: { timingTrusted: false } },
      { because: "what was seen does not tell: it takes a probe" },
    ],
    [
      "a port that never listened",
      needsKept,
      { target: { state: "waiting" }, facts: { kept: known(aKept()) } },
      { because: "waiting for the port to listen" },
    ],
  ])("%s", (_what, detector, world, { because, fix: remedy }) => {
    const { code } = detector;
    const expected = {
      target: "app",
      code,
      because,
      ...(remedy === undefined ? {} : { fix: remedy }),
    };
    expect(run([detector], world).unjudged).toEqual([expected]);
  });

  it("judges a code for waiting targets while it waits", () => {
    const patient = aDetector("patient", { whileWaiting: true });
    expect(run([patient], { target: { state: "waiting" } }).verdicts).toEqual([
      judged("patient", []),
    ]);
  });

  it("gives up on a fact that nobody looked for in a minute", () => {
    const young = { target: { epochSince: NOW - MINUTE } };
    const old = { target: { epochSince: NOW - MINUTE - 1 } };
    const isUnavailable = (world: World) =>
      run([needsKept], world).verdicts.map(
        (verdict) => verdict.outcome === "unjudged" && verdict.isUnavailable,
      );
    expect([isUnavailable(young), isUnavailable(old)]).toEqual([[false], [true]]);
  });

  it("tells a look that did not suffice from none", () => {
    expect(run([declines]).verdicts).toMatchObject([{ outcome: "unjudged", observedAt: NOW }]);
    expect(run([needsKept]).verdicts.map((verdict) => "observedAt" in verdict)).toEqual([false]);
  });
});

describe("a code that is not for this role", () => {
  const ofUpstream = defineDetector({
    ...record,
    code: "of-upstream",
    needs: ["peers"],
    detect: () => [],
  });
  const ofApp = defineDetector({
    ...record,
    code: "of-app",
    needs: [],
    uses: ["serverCalls"],
    needsAny: ["serverCalls"],
    detect: () => [],
  });
  const app = { expectation: known(anExpectation()) };
  const upstream = { expectation: known(anUpstreamExpectation()) };

  it("is not even unjudged", () => {
    expect(run([ofUpstream], { facts: app }).unjudged).toEqual([]);
    expect(run([ofApp], { facts: upstream }).unjudged).toEqual([]);
  });

  it("is judged where it was configured all the same", () => {
    const facts = { ...upstream, serverCalls: known(aServerCalls()) };
    expect(run([ofApp], { facts }).verdicts).toEqual([judged("of-app", [])]);
    expect(
      run([ofUpstream], { facts: { ...upstream, peers: known(somePeers()) } }).verdicts,
    ).toEqual([judged("of-upstream", [])]);
  });

  it("counts as unjudged while the role is not known", () => {
    expect(run([ofUpstream]).unjudged.map(({ code }) => code)).toEqual(["of-upstream"]);
  });
});

describe("in a mesh", () => {
  const mesh = { surroundings: known(someSurroundings({ mesh: true })) };
  const upstream = { ...mesh, expectation: known(anUpstreamExpectation()) };
  const app = { ...mesh, expectation: known(anExpectation()) };
  const outcome = (code: string, layer: Detector["layer"], facts: World["facts"] = {}) =>
    run([aDetector(code, { layer })], { facts }).verdicts.map((verdict) => verdict.outcome);

  it.each(["tcp", "tls", "http2"] as const)(
    "upstreams have no verdict of the layer %s",
    (layer) => {
      expect(outcome("any", layer, app)).toEqual(["judged"]);
      expect(outcome("any", layer, { expectation: upstream.expectation })).toEqual(["judged"]);
      expect(outcome("any", layer, upstream)).toEqual(["unjudged"]);
    },
  );

  it.each(["dns", "grpc", "handler"] as const)("upstreams keep those of the layer %s", (layer) => {
    expect(outcome("any", layer, upstream)).toEqual(["judged"]);
  });

  it.each(["dns-stale", "l4-pinning", "loopback-only"])("%s is not judged", (code) => {
    expect(outcome(code, "dns", { expectation: app.expectation })).toEqual(["judged"]);
    expect(outcome(code, "dns", app)).toEqual(["unjudged"]);
  });
});

describe("on the host's network", () => {
  const because = "the pod is on its host's network, which it shares with other processes";
  const hosted = { surroundings: known(someSurroundings({ hostNetwork: true })) };
  const alone = { surroundings: known(someSurroundings()) };
  const reasons = (detector: Detector, facts: Required<World>["facts"]) =>
    run([detector], { facts }).unjudged.map((entry) => entry.because);

  it.each(["outbound", "peers"] as const)("%s are not known to be the app's", (fact) => {
    const detector = defineDetector({
      ...record,
      code: "of-rows",
      needs: [fact],
      detect: () => [],
    });
    expect(reasons(detector, alone)).not.toContain(because);
    expect(reasons(detector, hosted)).toEqual([because]);
    const channels = { ...hosted, outbound: known(anOutbound()), peers: known(somePeers()) };
    expect(reasons(detector, channels)).toEqual([]);
  });

  it("nobody listens for himself alone", () => {
    const loopbackOnly = aDetector("loopback-only", { layer: "listen" });
    expect(reasons(loopbackOnly, alone)).toEqual([]);
    expect(reasons(loopbackOnly, hosted)).toEqual([because]);
    expect(reasons(aDetector("other", { layer: "listen" }), hosted)).toEqual([]);
  });
});

describe("a baseline", () => {
  const learner = defineDetector({
    ...record,
    code: "learner",
    needs: [],
    learns: { rate: () => ({ value: 1, weight: 1 }) },
    detect: ({ usual }) => [aSymptom({ evidence: { mean: usual.rate?.mean ?? "withheld" } })],
  });

  it.each([
    ["is withheld below 10 min", { since: NOW - 10 * MINUTE + 1 }, "withheld"],
    ["is withheld below 200 calls", { weight: 199 }, "withheld"],
    ["is given at both", { since: NOW - 10 * MINUTE, weight: 200 }, 0.5],
  ])("%s", (_what, change, mean) => {
    const baselines = {
      "learner/rate": aBaseline({ mean: 0.5, weight: 200, since: NOW - HOUR, ...change }),
      "other/rate": aBaseline({ mean: 7 }),
    };
    expect(run([learner], { target: { baselines } }).verdicts).toEqual([
      judged("learner", [aSymptom({ evidence: { mean } })]),
    ]);
  });
});

describe("our own faults", () => {
  const broken = aDetector("broken", {
    detect: () => {
      throw new TypeError("cannot read x");
    },
  });
  const crashesOf = (change: Partial<Facts["crashes"]["detectors"][string]>) => {
    const crash = { crashes: 1, lastAt: NOW, errorText: "x", isBroken: false, lastDurationsMs: [] };
    const crashes = someCrashes({ detectors: { fine: { ...crash, ...change } } });
    return { agent: { facts: { crashes: known(crashes) } } };
  };

  it("stop nobody else, and are told with their stack", () => {
    const { verdicts, events } = run([broken, aDetector("fine")]);
    expect(verdicts.map(({ code, outcome }) => [code, outcome])).toEqual([
      ["broken", "unjudged"],
      ["fine", "judged"],
    ]);
    expect(events).toEqual([
      {
        kind: "detector-crashed",
        at: NOW,
        detector: "broken",
        target: "app",
        errorText: "TypeError: cannot read x",
        stack: expect.stringMatching(/^ {4}at .*run-detectors\.test\.ts/),
      },
    ]);
  });

  it.each([
    ["exactly the budget is silent", 250, []],
    [
      "more is told",
      250.5,
      [{ kind: "detector-ran", at: NOW, detector: "fine", durationMs: 250.5 }],
    ],
  ])("%s", (_what, ms, events) => {
    expect(run([aDetector("fine")], { clock: [ms] }).events).toEqual(events);
  });

  it("are summed over all targets", () => {
    const targets = ["a", "b"].map((name) => ({ ...anyTarget, name }));
    const two = runDetectors({
      snapshot: { takenAt: NOW, targets: { a: aTargetSnapshot(), b: aTargetSnapshot() } },
      settings: someSettings([aDetector("fine")], { targets }),
      detectors: [aDetector("fine")],
      monotonicMs: ticking(200),
    });
    expect(two.events).toEqual([
      { kind: "detector-ran", at: NOW, detector: "fine", durationMs: 400 },
    ]);
  });

  it.each([
    ["was broken", { isBroken: true }, 1],
    ["was slow of late", { lastDurationsMs: [300, 1] }, 1],
    ["has been quick again", { lastDurationsMs: [1, 1, 1] }, 0],
  ])("a detector that %s is followed until it is well", (_what, change, told) => {
    expect(run([aDetector("fine")], { ...crashesOf(change), clock: [1] }).events).toHaveLength(
      told,
    );
  });
});

const anyTarget = aTarget("127.0.0.1:50051");

function ticking(stepMs: number): () => number {
  let ms = 0;
  return () => (ms += stepMs);
}

describe("a code that needs an expectation", () => {
  const judgesNames = defineDetector({
    ...record,
    code: "judges-names",
    needs: ["kept"],
    expects: {
      what: "`authority` of the target",
      isStated: ({ authority }) => authority !== undefined,
    },
    detect: () => [aSymptom()],
  });
  const facts = (change: Partial<Facts["expectation"]>) => ({
    kept: known(aKept()),
    expectation: known(anExpectation(change)),
  });

  it("is unjudged while nobody stated it, and says what to configure", () => {
    expect(run([judgesNames], { facts: facts({}) }).unjudged).toEqual([
      {
        target: "app",
        code: "judges-names",
        because: "not configured: `authority` of the target",
        fix: "Configure `authority` of the target.",
      },
    ]);
  });

  it("is judged once it is stated", () => {
    const { unjudged, verdicts } = run([judgesNames], { facts: facts({ authority: "orders" }) });
    expect(unjudged).toEqual([]);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(["judged"]);
  });
});
