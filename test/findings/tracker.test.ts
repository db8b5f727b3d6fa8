import { describe, expect, it } from "vitest";
import { aCourse, aDetector, aSymptom } from "../support/findings.ts";
import { NOW, SECOND } from "../support/snapshot.ts";
import { aTarget } from "../support/targets.ts";

const sick = { seen: { sick: [aSymptom()] } };
const well = {};
const unjudged = { seen: { sick: "unjudged" } } as const;

const held = aDetector("sick", { holdMs: 30 * SECOND });
const atOnce = aDetector("sick");

describe("a hold", () => {
  it("of 0 opens at once, and 30 s open after 30 s of presence", () => {
    expect(aCourse([atOnce]).at(0, sick)).toEqual(["opened sick warning"]);

    const course = aCourse([held]);
    expect(course.at(0, sick)).toEqual([]);
    expect(course.at(29.999, sick)).toEqual([]);
    expect(course.at(30, sick)).toEqual(["opened sick warning"]);
    expect(course.at(31, sick)).toEqual([]);
  });

  it("is broken by an absence", () => {
    const course = aCourse([held]);
    course.at(0, sick);
    course.at(29, sick);
    expect(course.at(30, well)).toEqual([]);
    expect(course.report().pending).toEqual([]);
    expect(course.at(31, sick)).toEqual([]);
    expect(course.at(60, sick)).toEqual([]);
    expect(course.at(61, sick)).toEqual(["opened sick warning"]);
  });

  it("stands still while nothing is judged", () => {
    const course = aCourse([held]);
    course.at(0, sick);
    course.at(20, sick);
    course.at(25, unjudged);
    course.at(100, sick); // the 75 s since are not counted
    expect(course.at(109, sick)).toEqual([]);
    expect(course.at(110, sick)).toEqual(["opened sick warning"]);
  });

  it("is the symptom's own where the user set none, and the user's where he did", () => {
    const slow = { seen: { sick: [aSymptom({ holdMs: 5 * SECOND })] } };
    const course = aCourse([atOnce]);
    expect(course.at(0, slow)).toEqual([]);
    expect(course.at(5, slow)).toEqual(["opened sick warning"]);

    const settings = { codes: { sick: { holdMs: 10 * SECOND } } };
    const configured = aCourse([atOnce]);
    configured.at(0, { ...slow, settings });
    expect(configured.at(9, { ...slow, settings })).toEqual([]);
    expect(configured.at(10, { ...slow, settings })).toEqual(["opened sick warning"]);
  });

  it("does not make a finding of what is only suspected, nor keep one open for it", () => {
    const suspected = { seen: { sick: [aSymptom({ isSuspicion: true, holdMs: SECOND })] } };
    const course = aCourse([atOnce]);
    expect(course.at(0, suspected)).toEqual([]);
    expect(course.at(3600, suspected)).toEqual([]);
    expect(course.report().pending.map(({ code }) => code)).toEqual(["sick"]);
    expect(course.at(3601, sick)).toEqual(["opened sick warning"]);
    expect(course.at(3602, suspected)).toEqual([]);
    expect(course.at(3662, suspected)).toEqual(["resolved sick warning"]);
  });

  it("tells how long it still lasts", () => {
    const course = aCourse([held]);
    course.at(0, sick);
    course.at(12.5, sick);
    expect(course.report().pending.map((finding) => finding.activeInSeconds)).toEqual([18]);
    expect(course.report().active).toEqual([]);
    expect(course.openCodes()).toEqual(["sick"]);
  });
});

describe("clearing", () => {
  it("takes a minute of absence, also where less is configured", () => {
    const settings = { codes: { sick: { clearAfterMs: SECOND } } };
    const course = aCourse([atOnce]);
    course.at(0, { ...sick, settings });
    course.at(10, { settings });
    expect(course.at(69, { settings })).toEqual([]);
    expect(course.at(70, { settings })).toEqual(["resolved sick warning"]);
    expect(course.at(71, { settings })).toEqual([]);
    expect(course.report().active).toEqual([]);
    expect(course.report().recent.map(({ code, resolvedAt }) => [code, resolvedAt])).toEqual([
      ["sick", NOW + 70 * SECOND],
    ]);
  });

  it("begins anew when it is seen again", () => {
    const course = aCourse([atOnce]);
    course.at(0, sick);
    course.at(1, well);
    course.at(60, sick);
    course.at(61, well);
    expect(course.at(120, well)).toEqual([]);
    expect(course.at(121, well)).toEqual(["resolved sick warning"]);
  });

  it("stands still while nothing is judged", () => {
    const course = aCourse([atOnce]);
    course.at(0, sick);
    course.at(1, well);
    course.at(31, well);
    course.at(32, unjudged);
    course.at(400, well);
    expect(course.at(429, well)).toEqual([]);
    expect(course.at(430, well)).toEqual(["resolved sick warning"]);
  });

  it("needs two clean observations of what is polled", () => {
    const course = aCourse([atOnce]);
    const old = NOW;
    course.at(0, { ...sick, observedAt: old });
    course.at(1, { observedAt: old });
    course.at(100, { observedAt: old });
    expect(course.at(101, { observedAt: NOW + 101 * SECOND })).toEqual([]);
    expect(course.at(102, { observedAt: NOW + 101 * SECOND })).toEqual([]);
    expect(course.at(103, { observedAt: NOW + 103 * SECOND })).toEqual(["resolved sick warning"]);
  });

  it.each([
    ["one of a probe", "probe", NOW + SECOND],
    ["none of a stream, whose silence is an observation", "health", NOW],
  ] as const)("needs %s", (_what, witness, observedAt) => {
    const course = aCourse([atOnce]);
    course.at(0, { seen: { sick: [aSymptom({ witnesses: [witness] })] }, observedAt: NOW });
    course.at(1, { observedAt });
    expect(course.at(61, { observedAt })).toEqual(["resolved sick warning"]);
  });

  it("needs a new run of a probe", () => {
    const course = aCourse([atOnce]);
    course.at(0, { seen: { sick: [aSymptom({ witnesses: ["probe"] })] }, observedAt: NOW });
    course.at(1, { observedAt: NOW });
    expect(course.at(61, { observedAt: NOW })).toEqual([]);
  });

  it("gives up on what was not judged for 10 min", () => {
    const course = aCourse([atOnce]);
    course.at(0, sick);
    course.at(1, unjudged);
    expect(course.at(600, unjudged)).toEqual([]);
    expect(course.at(601, unjudged)).toEqual(["resolved sick warning no-longer-observable"]);
  });

  it("gives up after a minute on what only a process could show that is gone", () => {
    const course = aCourse([atOnce]);
    course.at(0, { ...sick, target: { epoch: 3 } });
    course.at(1, { ...unjudged, target: { epoch: 4 } });
    expect(course.at(60, { ...unjudged, target: { epoch: 4 } })).toEqual([]);
    expect(course.at(61, { ...unjudged, target: { epoch: 4 } })).toEqual([
      "resolved sick warning no-longer-observable",
    ]);
  });

  it("goes on where the next process is seen to be as sick", () => {
    const course = aCourse([atOnce]);
    course.at(0, { ...sick, target: { epoch: 3 } });
    course.at(1, { ...unjudged, target: { epoch: 4 } });
    course.at(60, { ...sick, target: { epoch: 4 } });
    course.at(61, { ...unjudged, target: { epoch: 4 } });
    expect(course.at(200, { ...unjudged, target: { epoch: 4 } })).toEqual([]);
  });

  it("forgets what was only pending without a word", () => {
    const course = aCourse([held]);
    course.at(0, sick);
    course.at(1, unjudged);
    expect(course.at(601, unjudged)).toEqual([]);
    expect(course.openCodes()).toEqual([]);
  });

  it.each([
    ["disabled", { codes: { sick: { enabled: false } } }],
    ["target-removed", { targets: [] }],
  ])("tells what the configuration ended: %s", (why, settings) => {
    const course = aCourse([atOnce]);
    course.at(0, sick);
    expect(course.at(1, { settings })).toEqual([`resolved sick warning ${why}`]);
  });
});

describe("identity", () => {
  it("is code, target and subject", () => {
    const course = aCourse([atOnce]);
    const of = (...names: string[]) => ({
      seen: { sick: names.map((name) => aSymptom({ subject: { name } })) },
    });
    expect(course.at(0, of("a"))).toEqual(["opened sick warning"]);
    expect(course.at(1, of("a", "b"))).toEqual(["opened sick warning"]);
    expect(course.at(61, of("b"))).toEqual([]);
    expect(course.at(121, of("b"))).toEqual(["resolved sick warning"]);
    expect(course.report().active.map((finding) => finding.subject)).toEqual([{ name: "b" }]);
  });

  it("keeps 20 subjects, the worst and the oldest, and counts the others", () => {
    const names = Array.from({ length: 22 }, (_, index) => `n${String(index).padStart(2, "0")}`);
    const all = names.map((name) => aSymptom({ subject: { name } }));
    const worst = aSymptom({
      subject: { name: "n21" },
      severity: "critical",
      isDeterministic: true,
    });
    const course = aCourse([atOnce]);
    course.at(0, { seen: { sick: all.slice(0, 20) } });
    course.at(1, { seen: { sick: [...all.slice(0, 21), worst] } });
    const { active } = course.report();
    expect(active.map((finding) => finding.subject["name"])).toEqual([
      "n21",
      ...names.slice(0, 20),
    ]);
    expect(active.find((finding) => finding.subject["name"] === "n18")?.evidence).toEqual({
      omitted: 2,
    });
    // n19 fell out of the list: it is not judged, and so not cleared.
    expect(course.at(70, { seen: { sick: [...all.slice(0, 21), worst] } })).toEqual([]);
  });

  it("counts evaluations once a second, and keeps when it was seen first and last", () => {
    const course = aCourse([atOnce]);
    course.at(0, sick);
    course.at(0.5, sick);
    course.at(1, sick);
    course.at(2, sick);
    course.at(3, well);
    const [finding] = course.report().active;
    expect([finding?.count, finding?.firstSeen, finding?.lastSeen]).toEqual([
      3,
      NOW,
      NOW + 2 * SECOND,
    ]);
  });
});

describe("severity", () => {
  const as = (severity: "info" | "warning" | "critical") => ({
    seen: { sick: [aSymptom({ severity, isDeterministic: true })] },
  });

  it("rises at once", () => {
    const course = aCourse([atOnce]);
    expect(course.at(0, as("info"))).toEqual(["opened sick info"]);
    expect(course.at(1, as("critical"))).toEqual(["escalated sick critical"]);
    expect(course.at(2, as("critical"))).toEqual([]);
  });

  it("falls only after it was lower for a minute, and not below what it was in it", () => {
    const course = aCourse([atOnce]);
    course.at(0, as("critical"));
    course.at(1, as("info"));
    course.at(30, as("warning"));
    course.at(60.999, as("info"));
    expect(course.report().active[0]?.severity).toBe("critical");
    expect(course.at(61, as("info"))).toEqual([]);
    expect(course.report().active[0]?.severity).toBe("warning");
    expect(course.at(62, as("critical"))).toEqual(["escalated sick critical"]);
  });

  it("is lower for a minute only from the last time on that it was not", () => {
    const course = aCourse([atOnce]);
    course.at(0, as("critical"));
    course.at(1, as("info"));
    course.at(30, as("critical"));
    course.at(31, as("critical"));
    course.at(32, as("info"));
    course.at(91.999, as("info"));
    expect(course.report().active[0]?.severity).toBe("critical");
    course.at(92, as("info"));
    expect(course.report().active[0]?.severity).toBe("info");
  });

  it.each([
    ["two witnesses convict", { witnesses: ["kernel", "dns"] }, "critical"],
    ["one does not", { witnesses: ["kernel"] }, "warning"],
    ["nor the same one twice", { witnesses: ["kernel", "kernel"] }, "warning"],
    ["deterministic evidence needs no second", { isDeterministic: true }, "critical"],
  ] as const)("is critical only with proof: %s", (_why, change, severity) => {
    const symptom = aSymptom({ severity: "critical", ...change });
    expect(aCourse([atOnce]).at(0, { seen: { sick: [symptom] } })).toEqual([
      `opened sick ${severity}`,
    ]);
  });

  it.each(["info", "critical"] as const)("is pinned at %s by the user", (severity) => {
    const settings = { codes: { sick: { severity } } };
    expect(aCourse([atOnce]).at(0, { ...sick, settings })).toEqual([`opened sick ${severity}`]);
  });
});

describe("quiet", () => {
  it.each([
    ["drains", { state: "draining" }],
    ["is in its grace", { quietUntil: NOW + 100 * SECOND }],
  ] as const)("finds nothing new while the target %s", (_when, target) => {
    const course = aCourse([atOnce]);
    expect(course.at(0, { ...sick, target })).toEqual([]);
    expect(course.at(99.999, { ...sick, target })).toEqual([]);
    expect(course.openCodes()).toEqual([]);
  });

  it("ends exactly at its instant", () => {
    const target = { quietUntil: NOW + SECOND };
    const course = aCourse([atOnce]);
    expect(course.at(0.999, { ...sick, target })).toEqual([]);
    expect(course.at(1, { ...sick, target })).toEqual(["opened sick warning"]);
  });

  it("keeps what is active, and drops what is pending", () => {
    const target = { state: "draining" } as const;
    const course = aCourse([atOnce, aDetector("late", { holdMs: 5 * SECOND })]);
    const both = { seen: { sick: [aSymptom()], late: [aSymptom()] } };
    course.at(0, both);
    course.at(1, { ...both, target });
    expect(course.openCodes()).toEqual(["sick"]);
    expect(course.report().active.map((finding) => finding.code)).toEqual(["sick"]);
  });
});

describe("ignore", () => {
  const ignore = [{ code: "sick", until: NOW + 10 * SECOND, reason: "renewal booked" }];

  it("hushes a finding, shows it as suppressed, and ends with its date", () => {
    const course = aCourse([atOnce]);
    expect(course.at(0, { ...sick, settings: { ignore } })).toEqual([]);
    expect(course.report().suppressed.map((finding) => finding.because)).toEqual([
      "ignored: renewal booked",
    ]);
    expect(course.at(9.999, { ...sick, settings: { ignore } })).toEqual([]);
    expect(course.at(10, { ...sick, settings: { ignore } })).toEqual(["opened sick warning"]);
  });

  it("takes back an alert that is open, and resolves it when it is over", () => {
    const course = aCourse([atOnce]);
    const settings = { ignore: [{ code: "sick", reason: "known" }] };
    course.at(0, sick);
    expect(course.at(1, { ...sick, settings })).toEqual(["suppressed sick warning ignored: known"]);
    course.at(2, { settings });
    expect(course.at(62, { settings })).toEqual(["resolved sick warning"]);
  });

  it.each([
    ["another code", { code: "other", reason: "" }],
    ["another target", { code: "sick", target: "other", reason: "" }],
  ])("leaves alone what names %s", (_what, other) => {
    const settings = { ignore: [other] };
    expect(aCourse([atOnce]).at(0, { ...sick, settings })).toEqual(["opened sick warning"]);
  });
});

it("reminds once an hour while it is present", () => {
  const course = aCourse([atOnce]);
  course.at(0, sick);
  expect(course.at(3599, sick)).toEqual([]);
  expect(course.at(3600, sick)).toEqual(["reminded sick warning"]);
  expect(course.at(3601, sick)).toEqual([]);
  course.at(7195, well);
  expect(course.at(7200, well)).toEqual([]);
});

it("says what changed since the last good state", () => {
  const mark = (seconds: number, value: string) => ({
    at: NOW + seconds * SECOND,
    what: "dns" as const,
    value,
  });
  const history = [mark(-900, "old"), mark(-300, "10.0.0.1"), mark(-5, "10.0.0.9")];
  const course = aCourse([atOnce]);
  const [opened] = course.changesAt(0, { ...sick, history });
  expect(opened?.finding.changed).toEqual([
    { what: "dns", from: "old", to: "10.0.0.9", at: NOW - 5 * SECOND },
  ]);
  const late = aCourse([held]);
  late.at(595, { ...sick, history });
  expect(late.changesAt(625, { ...sick, history })[0]?.finding.changed).toEqual([]);

  course.at(1, { history });
  expect(course.at(61, { history })).toEqual(["resolved sick warning"]);
  const [again] = course.changesAt(100, { ...sick, history });
  expect(again?.finding.changed).toEqual([]);
});

it("shows the whole finding, with evidence in bounds", () => {
  const symptom = aSymptom({
    subject: { name: "a" },
    evidence: {
      answer: `${"x".repeat(300)}\nmore`,
      known: Array.from({ length: 30 }, (_, i) => `${i}`),
    },
    remedy: "Do this.",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
  });
  const course = aCourse([atOnce]);
  course.at(0, { seen: { sick: [symptom] } });
  expect(course.report().active).toEqual([
    {
      code: "sick",
      severity: "warning",
      target: "app",
      subject: { name: "a" },
      summary: "It is sick",
      evidence: { answer: "x".repeat(200), known: Array.from({ length: 20 }, (_, i) => `${i}`) },
      changed: [],
      remedy: "Do this.",
      docs: expect.stringMatching(/^https:.*\/findings\/sick\.md$/),
      firstSeen: NOW,
      lastSeen: NOW,
      count: 1,
      consequences: [],
      witnesses: ["kernel"],
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
    },
  ]);
});

describe("a drill", () => {
  it("opens at once, is marked, and resolves itself after a minute", () => {
    const course = aCourse([aDetector("sick", { severity: "critical" })]);
    course.at(0);
    expect(course.drill("sick")).toMatchObject({
      transition: "opened",
      finding: { target: "app", severity: "critical", isDrill: true },
    });
    expect(course.at(59.999)).toEqual([]);
    expect(course.report().active.map((finding) => finding.code)).toEqual(["sick"]);
    expect(course.openCodes()).toEqual([]);
    expect(course.at(60)).toEqual(["resolved sick critical"]);
  });

  const agentCode = aDetector("own", { layer: "agent" });
  const targets = [
    aTarget("127.0.0.1:50052", { name: "inventory", role: "upstream" }),
    aTarget("127.0.0.1:50051"),
  ];

  it.each([
    ["sick", undefined, "app"],
    ["sick", "inventory", "inventory"],
    ["own", undefined, "grpc-doctor"],
  ])("of %s, told %s, is on %s", (code, asked, target) => {
    const course = aCourse([atOnce, agentCode]);
    course.at(0, { settings: { targets } });
    expect(course.drill(code, asked)).toMatchObject({ finding: { code, target } });
  });

  it.each([
    ["sikc", undefined, "sikc is no code (did you mean sick?)"],
    ["sick", "ap", "sick can be on app, inventory, not on ap"],
    ["sick", "grpc-doctor", "sick can be on app, inventory, not on grpc-doctor"],
    ["own", "app", "own can be on grpc-doctor, not on app"],
    ["off", undefined, "off is off on app"],
  ])("of %s on %s is refused: %s", (code, asked, refused) => {
    const course = aCourse([atOnce, agentCode, aDetector("off")]);
    course.at(0, { settings: { targets, codes: { off: { enabled: false } } } });
    expect(course.drill(code, asked)).toEqual({ refused });
    expect(course.report().active).toEqual([]);
  });

  it("has the severity that the user pinned, and does not touch the real finding", () => {
    const settings = { codes: { sick: { severity: "info" as const } } };
    const course = aCourse([atOnce]);
    expect(course.at(0, { ...sick, settings })).toEqual(["opened sick info"]);
    expect(course.drill("sick")).toMatchObject({ finding: { severity: "info" } });
    expect(course.at(60, { ...sick, settings })).toEqual(["resolved sick info"]);
    expect(course.report().active).toMatchObject([{ code: "sick", subject: {} }]);
  });

  it("is refused beyond 20 at a time", () => {
    const course = aCourse([atOnce]);
    course.at(0);
    const drills = Array.from({ length: 21 }, (_, index) => {
      course.at(index / 1000);
      return "refused" in course.drill("sick");
    });
    expect(drills).toEqual([...Array.from({ length: 20 }, () => false), true]);
  });
});

describe("a wall clock that is set", () => {
  const ahead = { wallAheadMs: 86_400 * SECOND };

  it("shows in the instants that people read, and in no count", () => {
    const course = aCourse([atOnce]);
    course.at(0, sick);
    const [escalated] = course.changesAt(10, {
      seen: { sick: [aSymptom({ severity: "critical", isDeterministic: true })] },
      ...ahead,
    });
    const report = course.report();
    expect(escalated).toMatchObject({ transition: "escalated", at: NOW + 86_410 * SECOND });
    expect(report.generatedAt).toBe(NOW + 86_410 * SECOND);
    expect(report.active).toMatchObject([
      { firstSeen: NOW + 86_400 * SECOND, lastSeen: NOW + 86_410 * SECOND, count: 2 },
    ]);
  });

  it("shows when a finding was over", () => {
    const course = aCourse([atOnce]);
    course.at(0, sick);
    course.at(10, { ...well, ...ahead });
    course.at(70, { ...well, ...ahead });
    expect(course.report().recent).toMatchObject([{ resolvedAt: NOW + 86_470 * SECOND }]);
  });

  it("ends what is ignored until a date", () => {
    const course = aCourse([atOnce]);
    const until = NOW + 3_600 * SECOND;
    const settings = { ignore: [{ code: "sick", until, reason: "renewal booked" }] };
    expect(course.at(0, { ...sick, settings })).toEqual([]);
    expect(course.at(10, { ...sick, settings, ...ahead })).toEqual(["opened sick warning"]);
  });
});
