import { describe, expect, it } from "vitest";
import { aCourse, aDetector, aSymptom } from "../support/findings.ts";
import { NOW, SECOND } from "../support/snapshot.ts";
import { aTarget } from "../support/targets.ts";

const root = aDetector("root", { layer: "tcp" });
const heldRoot = aDetector("root", { layer: "tcp", holdMs: 20 * SECOND });
const effect = aDetector("effect", { causes: [root] });
const seen = (...codes: readonly string[]) => ({
  seen: Object.fromEntries(codes.map((code) => [code, [aSymptom()]])),
});
const critical = aSymptom({ severity: "critical", isDeterministic: true });

describe("on one target", () => {
  it("tells only the root, and what it explains", () => {
    const course = aCourse([root, effect]);
    expect(course.at(0, seen("root", "effect"))).toEqual(["opened root warning"]);
    const report = course.report();
    expect(report.active.map(({ code, consequences }) => [code, consequences])).toEqual([
      ["root", ["effect"]],
    ]);
    expect(report.suppressed.map(({ code, because }) => [code, because])).toEqual([
      ["effect", "root"],
    ]);
    expect(report.pending).toEqual([]);
  });

  it("tells both where no edge is declared", () => {
    const course = aCourse([root, aDetector("effect")]);
    expect(course.at(0, seen("root", "effect"))).toEqual([
      "opened root warning",
      "opened effect warning",
    ]);
  });

  it("takes over a consequence that is active, if it began within a minute", () => {
    const course = aCourse([root, effect]);
    course.at(0, seen("effect"));
    expect(course.at(60, seen("root", "effect"))).toEqual([
      "suppressed effect warning root",
      "opened root warning",
    ]);
    expect(course.report().suppressed.map(({ code }) => code)).toEqual(["effect"]);
  });

  it("leaves alone a consequence that began more than a minute before", () => {
    const course = aCourse([root, effect]);
    course.at(0, seen("effect"));
    expect(course.at(60.001, seen("root", "effect"))).toEqual(["opened root warning"]);
    expect(course.report().active.map(({ code }) => code)).toEqual(["effect", "root"]);
  });

  it("takes over one that began long before, in the life of its target that is past", () => {
    const course = aCourse([root, effect]);
    course.at(0, seen("effect"));
    const reborn = { target: { epoch: 2 } };
    expect(course.at(300, { ...seen("effect"), ...reborn })).toEqual([]);
    expect(course.at(360, { ...seen("root", "effect"), ...reborn })).toEqual([
      "suppressed effect warning root",
      "opened root warning",
    ]);
  });

  it("believes a root that says since when it lasts", () => {
    const course = aCourse([root, effect]);
    course.at(0, seen("effect"));
    const late = [aSymptom({ beganAt: NOW + 60 * SECOND })];
    expect(course.at(300, { seen: { root: late, effect: [aSymptom()] } })).toEqual([
      "suppressed effect warning root",
      "opened root warning",
    ]);
  });

  it("goes through a chain to the last root", () => {
    const deep = aDetector("deep", { causes: [effect] });
    const course = aCourse([deep, effect, root]);
    expect(course.at(0, seen("root", "effect", "deep"))).toEqual(["opened root warning"]);
    const report = course.report();
    expect(report.active.map(({ consequences }) => consequences)).toEqual([["deep", "effect"]]);
    expect(report.suppressed.map(({ because }) => because)).toEqual(["root", "root"]);
  });

  it("prefers the cause of the lowest layer", () => {
    const name = aDetector("name", { layer: "dns" });
    const both = aDetector("effect", { causes: [root, name] });
    const course = aCourse([root, name, both]);
    course.at(0, seen("root", "name", "effect"));
    expect(course.report().suppressed.map(({ because }) => because)).toEqual(["name"]);
  });

  it("asks the declaration whether this cause explains these symptoms", () => {
    const narrow = aDetector("effect", {
      causes: [root],
      explainedBy: (cause, evidence) => cause.code === "root" && evidence["reason"] === "deadline",
    });
    const of = (reason: string) => ({
      seen: { root: [aSymptom()], effect: [aSymptom({ evidence: { reason } })] },
    });
    expect(aCourse([root, narrow]).at(0, of("deadline"))).toEqual(["opened root warning"]);
    expect(aCourse([root, narrow]).at(0, of("assertion"))).toEqual([
      "opened root warning",
      "opened effect warning",
    ]);
  });

  it("is not explained by an ignored cause, nor by a drill of it", () => {
    const settings = { ignore: [{ code: "root", reason: "known" }] };
    const course = aCourse([root, effect]);
    expect(course.at(0, { ...seen("root", "effect"), settings })).toEqual([
      "opened effect warning",
    ]);

    const drilled = aCourse([root, effect]);
    drilled.at(0);
    drilled.drill("root");
    expect(drilled.at(1, seen("effect"))).toEqual(["opened effect warning"]);
  });
});

describe("severity", () => {
  it("of a root is the highest among its consequences", () => {
    const course = aCourse([root, effect]);
    expect(course.at(0, { seen: { root: [aSymptom()], effect: [critical] } })).toEqual([
      "opened root critical",
    ]);
  });

  it("escalates a root that takes over something worse", () => {
    const course = aCourse([root, effect]);
    course.at(0, seen("root"));
    expect(course.at(1, { seen: { root: [aSymptom()], effect: [critical] } })).toEqual([
      "escalated root critical",
    ]);
  });

  it("does not rise by a consequence that has not met its hold", () => {
    const slow = aDetector("effect", { causes: [root], holdMs: 20 * SECOND });
    const course = aCourse([root, slow]);
    const both = { seen: { root: [aSymptom()], effect: [critical] } };
    expect(course.at(0, both)).toEqual(["opened root warning"]);
    expect(course.at(19, both)).toEqual([]);
    expect(course.at(20, both)).toEqual(["escalated root critical"]);
  });

  it("that the user pinned is not raised, and then hides nothing worse", () => {
    const settings = { codes: { root: { severity: "info" as const } } };
    const course = aCourse([root, effect]);
    expect(course.at(0, { ...seen("root", "effect"), settings })).toEqual([
      "opened root info",
      "opened effect warning",
    ]);
    const equal = { codes: { root: { severity: "warning" as const } } };
    expect(aCourse([root, effect]).at(0, { ...seen("root", "effect"), settings: equal })).toEqual([
      "opened root warning",
    ]);
  });
});

describe("a cause that is pending", () => {
  const waiting = aDetector("effect", { causes: [heldRoot] });

  it("makes the consequence wait, and then takes it", () => {
    const course = aCourse([heldRoot, waiting]);
    expect(course.at(0, seen("root", "effect"))).toEqual([]);
    expect(course.report().pending.map(({ activeInSeconds }) => activeInSeconds)).toEqual([20, 20]);
    expect(course.at(19.999, seen("root", "effect"))).toEqual([]);
    expect(course.at(20, seen("root", "effect"))).toEqual(["opened root warning"]);
  });

  it("lets it go when it ends before", () => {
    const course = aCourse([heldRoot, waiting]);
    course.at(0, seen("root", "effect"));
    expect(course.at(10, seen("effect"))).toEqual(["opened effect warning"]);
  });

  it("holds it no longer than its own hold, if it is not judged meanwhile", () => {
    const course = aCourse([heldRoot, waiting]);
    const half = { seen: { root: "unjudged", effect: [aSymptom()] } } as const;
    course.at(0, seen("root", "effect"));
    course.at(10, half);
    expect(course.at(19.999, half)).toEqual([]);
    course.at(20, half);
    expect(course.at(21, half)).toEqual(["opened effect warning"]);
  });
});

describe("when the cause resolves", () => {
  it("what stays begins its own hold", () => {
    const slow = aDetector("effect", { causes: [root], holdMs: 20 * SECOND });
    const course = aCourse([root, slow]);
    course.at(0, seen("root", "effect"));
    course.at(30, seen("effect"));
    expect(course.at(90, seen("effect"))).toEqual(["resolved root warning"]);
    expect(course.at(109.999, seen("effect"))).toEqual([]);
    expect(course.at(110, seen("effect"))).toEqual(["opened effect warning"]);
  });

  it("what is gone as well is over, and told so if it was ever told", () => {
    const course = aCourse([root, effect]);
    course.at(0, seen("effect"));
    course.at(1, seen("root", "effect"));
    course.at(30, seen("effect"));
    course.at(80, {});
    expect(course.at(90, {})).toEqual(["resolved root warning", "resolved effect warning"]);
    expect(course.report().active).toEqual([]);
    expect(course.report().suppressed).toEqual([]);
  });

  it("what healed long ago needs no word", () => {
    const course = aCourse([root, effect]);
    course.at(0, seen("root", "effect"));
    course.at(1, seen("root"));
    expect(course.at(61, seen("root"))).toEqual([]);
    expect(course.report().suppressed).toEqual([]);
    expect(course.report().active.map(({ consequences }) => consequences)).toEqual([[]]);
  });
});

describe("on two targets", () => {
  const slow = aDetector("slow", { dependencyCauses: [root] });
  const targets = [
    aTarget("127.0.0.1:50051"),
    aTarget("inventory.shop.svc:50052", { name: "inventory", role: "upstream" }),
  ];
  const settings = { targets };
  const naming = (dependency: string) => aSymptom({ evidence: { dependency } });

  it.each([
    ["by its name", "inventory"],
    ["by the host and port of the app's channel", "inventory.shop.svc:50052"],
  ])("explains what names the other one %s", (_how, dependency) => {
    const course = aCourse([root, slow]);
    const sick = { "root/inventory": [aSymptom()], slow: [naming(dependency)] };
    expect(course.at(0, { seen: sick, settings })).toEqual(["opened root/inventory warning"]);
    const report = course.report();
    expect(report.active.map(({ consequences }) => consequences)).toEqual([["slow/app"]]);
    expect(report.suppressed.map(({ because }) => because)).toEqual(["root/inventory"]);
  });

  it.each([
    ["nothing is named", {}],
    ["another one is named", { dependency: "payments" }],
  ])("explains nothing where %s", (_when, evidence) => {
    const sick = { "root/inventory": [aSymptom()], slow: [aSymptom({ evidence })] };
    expect(aCourse([root, slow]).at(0, { seen: sick, settings })).toHaveLength(2);
  });

  it("does not take a cause at the dependency for one at home", () => {
    const sick = { root: [aSymptom()], slow: [naming("inventory")] };
    expect(aCourse([root, slow]).at(0, { seen: sick, settings })).toHaveLength(2);
  });

  it("takes targets that share an upstream for one", () => {
    const shared = { subject: { upstream: "payments:50053" } };
    const sick = { "root/inventory": [aSymptom(shared)], effect: [aSymptom(shared)] };
    expect(aCourse([root, effect]).at(0, { seen: sick, settings })).toEqual([
      "opened root/inventory warning",
    ]);
  });

  it("follows the same sickness to the dependency", () => {
    const sick = { "slow/inventory": [aSymptom()], slow: [naming("inventory")] };
    expect(aCourse([slow]).at(0, { seen: sick, settings })).toEqual([
      "opened slow/inventory warning",
    ]);
  });

  it.each([
    ["app", { slow: [naming("inventory")] }],
    ["inventory", { "slow/inventory": [naming("app")] }],
  ])(
    "keeps the first of two that blame each other, so that no alert is lost: %s",
    (name, first) => {
      const course = aCourse([slow]);
      course.at(0, { seen: first, settings });
      const both = { slow: [naming("inventory")], "slow/inventory": [naming("app")] };
      expect(course.at(1, { seen: both, settings })).toEqual([]);
      expect(course.report().active.map(({ target }) => target)).toEqual([name]);
    },
  );
});

describe("a finding that waits for its causes to be looked at", () => {
  const patient = aDetector("effect", { causes: [root], waitsForCauses: true });
  const failing = { effect: [aSymptom({ beganAt: NOW })] };

  it("is told once they were, since it began", () => {
    const course = aCourse([root, patient]);
    expect(course.at(1, { seen: failing, observedAt: NOW - 1 })).toEqual([]);
    expect(course.at(2, { seen: failing, observedAt: NOW })).toEqual(["opened effect warning"]);
  });

  it("is told after a minute at the latest", () => {
    const course = aCourse([root, patient]);
    const blind = { seen: { ...failing, root: "unjudged" } } as const;
    expect(course.at(1, blind)).toEqual([]);
    expect(course.at(59.999, blind)).toEqual([]);
    expect(course.at(60, blind)).toEqual(["opened effect warning"]);
  });

  it("says how long it may wait, and for what", () => {
    const course = aCourse([root, patient]);
    const waits = () =>
      course
        .report()
        .pending.map(({ activeInSeconds, waitsFor }) => ({ activeInSeconds, waitsFor }));
    const blind = { seen: { ...failing, root: "unjudged" } } as const;
    course.at(1, blind);
    expect(waits()).toEqual([{ activeInSeconds: 59, waitsFor: ["root"] }]);
    course.at(34, blind);
    expect(waits()).toEqual([{ activeInSeconds: 26, waitsFor: ["root"] }]);
    course.at(35, { seen: { root: "unjudged", effect: "unjudged" } });
    expect(waits().map(({ waitsFor }) => waitsFor)).toEqual([undefined]);
  });

  it("does not wait for one that cannot be seen here, or is off", () => {
    const blind = { seen: { ...failing, root: "unavailable" } } as const;
    expect(aCourse([root, patient]).at(1, blind)).toEqual(["opened effect warning"]);
    expect(aCourse([patient]).at(1, { seen: failing })).toEqual(["opened effect warning"]);
  });

  it("is not told once it is not judged any more", () => {
    const course = aCourse([root, patient]);
    course.at(1, { seen: failing, observedAt: NOW - 1 });
    expect(course.at(2, { seen: { effect: "unjudged" } })).toEqual([]);
  });

  it("is never told where the look finds the cause", () => {
    const course = aCourse([root, patient]);
    course.at(1, { seen: failing, observedAt: NOW - 1 });
    expect(course.at(2, { seen: { ...failing, root: [aSymptom()] } })).toEqual([
      "opened root warning",
    ]);
  });
});
