import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSnapshot } from "../../src/config/parse-snapshot.ts";
import { printSnapshot } from "../../src/config/print-snapshot.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import type { Settings } from "../../src/model/settings.ts";
import { EVERY_FACT, SAVED } from "../support/saved-snapshot.ts";
import { aTargetSnapshot, NOW } from "../support/snapshot.ts";

const saved = SAVED;
const { settings } = SAVED;
const file = () => JSON.parse(printSnapshot(saved)) as Record<string, Record<string, unknown>>;
const read = (value: unknown) => parseSnapshot(JSON.stringify(value), DETECTORS);

it("reads what it wrote, with every fact", () => {
  expect(parseSnapshot(printSnapshot(saved), DETECTORS)).toEqual(saved);
});

it("refuses an instant that no calendar has", () => {
  const late = { ...file(), takenAt: 8.64e15 + 1 };
  expect(read(late)).toEqual({ fault: expect.stringMatching(/^takenAt: /) });
});

it("writes no secret and no payload", () => {
  const secret = { kind: "literal", value: "s3cret" } as const;
  const [target] = settings.targets;
  const probe = {
    name: "p",
    target: "app",
    method: "a.B/C",
    requests: [{ card: "s3cret" }],
    schedule: { everyMs: 30_000 },
    deadlineMs: 500,
    connection: "kept",
    compression: "identity",
    metadata: [{ key: "authorization", value: secret }],
    expect: { status: "OK", that: [] },
  } as const;
  const withSecrets: Settings = {
    ...settings,
    tracing: { endpoint: "http://u:s3cret@collector:4317/?key=s3cret", ratio: 0.1 },
    webhook: { url: "https://hooks.example.com/s3cret" },
    targets: [
      {
        ...(target ?? ({} as never)),
        metrics: "http://u:s3cret@localhost:9090/metrics?token=s3cret",
        metadata: [
          { key: "authorization", value: secret },
          { key: "x", value: { kind: "file", path: "/token", prefix: "" } },
        ],
      },
    ],
    probes: [probe],
  };
  const text = printSnapshot({ ...saved, settings: withSecrets });
  expect(text).not.toContain("s3cret");
  const parsed = parseSnapshot(text, DETECTORS);
  expect(parsed).toMatchObject({
    settings: {
      webhook: { url: "https://hooks.example.com/masked" },
      targets: [{ metrics: "http://masked@localhost:9090/metrics?masked" }],
      probes: [{ requests: [], metadata: [{ key: "authorization" }] }],
    },
  });
});

it("drops the keys that a newer agent added", () => {
  const newer = file();
  newer["extra"] = { a: 1 };
  newer["targets"]!["app"] = { ...(newer["targets"]!["app"] as object), later: [1] };
  expect(read(newer)).toEqual(saved);
});

it("takes a fact that an older agent did not know for unknown", () => {
  const older = file();
  older["targets"] = { app: { ...aTargetSnapshot(), facts: {} } };
  const parsed = read(older);
  expect("snapshot" in parsed && parsed.snapshot.targets["app"]?.facts).toEqual({});
});

it("gives a code that an older agent did not know its defaults", () => {
  const older = { ...file(), settings: { ...settings, findings: {} } };
  expect(read(older)).toEqual(saved);
});

it("keeps what the writer's configuration said of a code", () => {
  const codes = {
    ...settings.findings["app"],
    "dns-stale": { ...settings.findings["app"]?.["dns-stale"], enabled: false },
  };
  const parsed = read({ ...file(), settings: { ...settings, findings: { app: codes } } });
  const findings = "settings" in parsed ? parsed.settings.findings : {};
  expect(findings["app"]?.["dns-stale"]?.enabled).toBe(false);
  expect(findings["inventory"]?.["dns-stale"]?.enabled).toBe(true);
});

const changed = (change: (target: Record<string, unknown>) => object) => {
  const value = file();
  const app = value["targets"]!["app"] as Record<string, unknown>;
  return { ...value, targets: { app: { ...app, ...change(app) } } };
};
const withFact = (name: string, value: unknown) =>
  changed(({ facts }) => ({
    facts: { ...(facts as object), [name]: { state: "known", at: NOW, value } },
  }));

it.each<[string, unknown, RegExp]>([
  ["another format", { ...file(), format: 2 }, /^format: /],
  ["no object", [], /^\(file\): /],
  ["a time that is a text", { ...file(), takenAt: "now" }, /^takenAt: /],
  ["no settings", { ...file(), settings: undefined }, /^settings: /],
  ["an unknown state", changed(() => ({ state: "asleep" })), /^targets\.app\.state: /],
  [
    "a fact of another shape",
    withFact("reach", { attempts: "many" }),
    /^targets\.app\.facts\.reach\.value\./,
  ],
  [
    "a list that is too long",
    withFact("peers", { peers: Array.from({ length: 501 }, () => EVERY_FACT.peers.peers[0]) }),
    /peers\.value\.peers: /,
  ],
  [
    "a text that is too long",
    changed(() => ({
      capabilities: [{ source: "dns", available: false, reason: "x".repeat(1_001), since: 1 }],
    })),
    /capabilities\.0\.reason: /,
  ],
  [
    "too many targets",
    {
      ...file(),
      targets: Object.fromEntries(
        Array.from({ length: 201 }, (_, i) => [`t${i}`, aTargetSnapshot({ facts: {} })]),
      ),
    },
    /^targets: /,
  ],
])("refuses %s, and says where", (_what, value, fault) => {
  expect(read(value)).toEqual({ fault: expect.stringMatching(fault) });
});

it.each([
  ["no JSON", "nothing", "not JSON"],
  ["an empty file", "", "not JSON"],
  ["a deep nest", "[".repeat(65), "deeper than 64 levels: no snapshot"],
  ["too many values", `[${"[],".repeat(500_000)}`, "more than 1000000 values: no snapshot"],
  ["no more values than that", `[${"[],".repeat(499_999)}1,`, "not JSON"],
  ["no deeper nest", "[".repeat(64), "not JSON"],
  ["brackets of a text", `"${"[".repeat(65)}`, "not JSON"],
  ["a text whose quotes are escaped", `"\\"${"[".repeat(65)}`, "not JSON"],
  [
    "a text beyond all measure",
    " ".repeat(16 * 1024 * 1024 + 1),
    "longer than 16 MiB: no snapshot",
  ],
])("refuses %s", (_what, text, fault) => {
  expect(parseSnapshot(text, DETECTORS)).toEqual({ fault });
});

it("is not led astray by names of JavaScript's own", () => {
  const text = printSnapshot(saved).replaceAll('"inventory":', '"__proto__":');
  const parsed = parseSnapshot(text, DETECTORS);
  expect("snapshot" in parsed && Object.keys(parsed.snapshot.targets)).toEqual([
    "app",
    "grpc-doctor",
  ]);
});

it("answers any JSON with a fault or a snapshot, and never throws", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 5 }),
      fc.constantFrom("format", "settings", "targets"),
      (value, key) => {
        const parsed = read({ ...file(), [key]: value });
        expect(Object.keys(parsed).toSorted()).toSatisfy(
          (keys: readonly string[]) => keys.join() === "fault" || keys.includes("snapshot"),
        );
      },
    ),
    { numRuns: 100 },
  );
});
