import { expect, it } from "vitest";
import type { History } from "../../src/model/history.ts";
import { forgotten, marksOf, noted } from "../../src/store/history.ts";
import {
  aCertificate,
  anExpectation,
  anXray,
  anXrayReport,
  aPeer,
  aResolution,
  NOW,
  SECOND,
  somePeers,
  someTls,
} from "../support/snapshot.ts";

const EMPTY: History = { targets: {} };
const mark = (seconds: number, value: string) =>
  ({ at: NOW + seconds * SECOND, what: "dns", value }) as const;
const marked = (target: string, ...marks: readonly ReturnType<typeof mark>[]) =>
  marks.reduce<History>((history, one) => noted(history, target, one), EMPTY).targets[target];

it("makes one mark of a value that stays", () => {
  expect(marked("app", mark(0, "a"), mark(10, "a"))).toEqual([mark(0, "a")]);
});

it("keeps the marks of 10 min, and the newest before", () => {
  const all = [mark(0, "a"), mark(1, "b"), mark(2, "c"), mark(602.5, "d")];
  expect(marked("app", ...all)).toEqual([mark(2, "c"), mark(602.5, "d")]);
});

it("gives one target 500 marks, and 2 900 to all: less than 2 MiB", () => {
  const flapping = (target: string, history: History) =>
    Array.from({ length: 700 }, (_, i) => mark(i / 10, `${i} ${"€".repeat(195)}`)).reduce<History>(
      (all, one) => noted(all, target, one),
      history,
    );
  const one = flapping("app", EMPTY);
  expect(one.targets["app"]).toHaveLength(500);
  const many = ["b", "c", "d", "e", "f"].reduce((all, target) => flapping(target, all), one);
  expect(Object.values(many.targets).flat()).toHaveLength(2_900);
  expect(Buffer.byteLength(JSON.stringify(many))).toBeLessThan(2 * 1024 * 1024);
});

it("forgets a target", () => {
  expect(forgotten(noted(EMPTY, "app", mark(0, "a")), "app")).toEqual(EMPTY);
});

const report = anXrayReport({
  tls: someTls({ chain: [aCertificate({ fingerprint: "ab12" })] }),
  settings: { maxFrameSize: 16_384, maxConcurrentStreams: 100 },
});

it("marks the certificate and the SETTINGS of an X-ray that showed them", () => {
  expect(marksOf("xray", anXray({ latest: report }))).toEqual([
    { what: "certificate", value: "ab12" },
    { what: "settings", value: "maxConcurrentStreams 100, maxFrameSize 16384" },
  ]);
  const failed = anXrayReport({ outcome: "failed", tls: undefined, settings: undefined });
  expect(marksOf("xray", anXray({ latest: failed }))).toEqual([]);
  const plain = anXrayReport({ tls: undefined, settings: {} });
  expect(marksOf("xray", anXray({ latest: plain }))).toEqual([{ what: "settings", value: "none" }]);
});

it("marks answers, peers and configuration as a person reads them", () => {
  expect(marksOf("resolution", aResolution({ answers: ["10.0.0.1", "10.0.0.2"] }))).toEqual([
    { what: "dns", value: "10.0.0.1, 10.0.0.2" },
  ]);
  expect(marksOf("resolution", aResolution({ answers: [] }))).toEqual([]);
  const peers = [aPeer({ address: "10.0.0.9" }), aPeer({ address: "10.0.0.1" })];
  expect(marksOf("peers", somePeers({ peers }))).toEqual([
    { what: "peers", value: "10.0.0.1, 10.0.0.9" },
  ]);
  const expectation = anExpectation({
    address: "localhost:50051",
    authority: "orders.shop",
    protocol: "tls",
    hasCa: true,
    health: { services: ["", "a.B"], expect: "SERVING" },
  });
  expect(marksOf("expectation", expectation)).toEqual([
    {
      what: "configuration",
      value: 'localhost:50051, authority orders.shop, tls, ca, health SERVING of "" "a.B"',
    },
  ]);
});

it("cuts a long list, and says how long it is", () => {
  const answers = Array.from({ length: 100 }, (_, i) => `10.0.0.${i}`);
  const [dns] = marksOf("resolution", aResolution({ answers }));
  expect(dns?.value).toMatch(/^10\.0\.0\.0, .*10\.0\.0\.\d+ … 100 in all$/);
  expect(dns?.value.length).toBeLessThanOrEqual(200);
});

it("marks nothing of facts that are unknown, or that nobody compares", () => {
  expect(marksOf("xray", undefined)).toEqual([]);
  expect(marksOf("services", { health: [] })).toEqual([]);
});
