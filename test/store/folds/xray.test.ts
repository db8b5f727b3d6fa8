import { expect, it } from "vitest";
import { isConfirmedXray } from "../../../src/model/facts/xray.ts";
import type { Observation } from "../../../src/model/observation.ts";
import type { DialAttempt } from "../../../src/model/xray.ts";
import { folded } from "../../support/folded.ts";
import {
  aClosingAt,
  after,
  anOpeningAt,
  anXrayAt,
  aReadAt,
  aRefusalAt,
} from "../../support/observations.ts";
import { aCertificate, aDial, NOW, someTls } from "../../support/snapshot.ts";

const limit = (seconds: number, maxConcurrentStreams?: number) =>
  anXrayAt(seconds, {
    settings: maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams },
  });
const mute = (seconds: number) =>
  anXrayAt(seconds, {
    outcome: "failed",
    phase: "http2",
    reason: "settings_timeout",
    settings: undefined,
  });

it.each<[string, readonly Observation[], object]>([
  ["once", [anXrayAt(0)], { since: NOW, lastAt: NOW, count: 1 }],
  ["twice", [anXrayAt(0), anXrayAt(2)], { since: NOW, lastAt: after(2), count: 2 }],
  [
    "anew",
    [anXrayAt(0), anXrayAt(2), aRefusalAt(4)],
    { since: after(4), lastAt: after(4), count: 1 },
  ],
])("counts how often the same was seen: %s", (_how, observations, same) => {
  expect(folded("xray", observations)?.same).toEqual(same);
});

it.each<[string, readonly Observation[], readonly (number | null)[]]>([
  ["no SETTINGS came", [mute(0)], []],
  ["the limit was not sent", [limit(0)], [null]],
  ["the limit is zero", [limit(0, 100), limit(2, 0), limit(4, 0)], [0, 0]],
  ["the last report had none", [limit(0, 100), limit(2, 5), mute(4)], [100, 5]],
])("keeps the limits of two reports when %s", (_when, observations, limits) => {
  expect(folded("xray", observations)?.lastLimits).toEqual(limits);
});

it.each<[string, readonly Observation[], boolean]>([
  ["never", [mute(0)], false],
  ["on a fresh connection", [limit(0), mute(2)], true],
  ["on the kept connection", [anOpeningAt(0), mute(1)], true],
  ["on a kept connection that was lost", [anOpeningAt(0), aClosingAt(1), mute(2)], true],
  ["in another life", [limit(0), anOpeningAt(0), aClosingAt(1), aRefusalAt(2)], false],
])("knows whether HTTP/2 was spoken in this epoch: %s", (_how, observations, everHttp2) => {
  expect(folded("xray", observations)?.everHttp2).toBe(everHttp2);
});

it("remembers the newest failure before the latest report, and calls it confirmed when it is back", () => {
  const good = [anXrayAt(3), anXrayAt(4)];
  const seen = (...observations: readonly Observation[]) => {
    const fact = folded("xray", observations);
    return { failedBefore: fact?.failedBefore?.at, isConfirmed: fact && isConfirmedXray(fact) };
  };
  expect(seen(mute(0))).toEqual({ failedBefore: undefined, isConfirmed: false });
  expect(seen(mute(0), ...good)).toEqual({ failedBefore: NOW, isConfirmed: true });
  expect(seen(mute(0), ...good, mute(5))).toEqual({ failedBefore: NOW, isConfirmed: true });
  expect(seen(...good, mute(5))).toEqual({ failedBefore: undefined, isConfirmed: false });
  expect(seen(mute(0), ...good, mute(301))).toEqual({ failedBefore: NOW, isConfirmed: false });
  expect(seen(mute(0), ...good, aRefusalAt(6))).toEqual({ failedBefore: NOW, isConfirmed: false });
});

it("keeps the newest result across epochs, so that a sick handshake stays judged", () => {
  const row = { listeners: [{ address: "::", port: 50051, queued: 0, inode: 7 }] };
  const fact = folded("xray", [aReadAt(0), anXrayAt(1), anXrayAt(3), aReadAt(5, row)]);
  expect(fact).toMatchObject({ same: { count: 2 }, lastPassedAt: after(3), lastLimits: [] });
  expect(fact).not.toHaveProperty("lastSettings");
});

it("remembers the chain that led to the bundle, across failures and epochs", () => {
  const shown = (seconds: number, path: string, fingerprint: string, sentCertificates: number) =>
    anXrayAt(seconds, {
      spoke: "tls",
      tls: someTls({ path, sentCertificates, chain: [aCertificate({ fingerprint })] }),
    });
  const row = { listeners: [{ address: "::", port: 50051, queued: 0, inode: 7 }] };
  const verified = (...observations: readonly Observation[]) =>
    folded("xray", observations)?.verified;
  const broken = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
  expect(verified(anXrayAt(0), shown(1, broken, "b", 1))).toBeUndefined();
  expect(verified(shown(0, "ok", "a", 2), shown(1, broken, "b", 1))).toEqual({
    fingerprint: "a",
    sent: 2,
  });
  expect(verified(aReadAt(0), shown(1, "ok", "a", 1), aReadAt(2, row))).toEqual({
    fingerprint: "a",
    sent: 1,
  });
});

it("remembers which addresses of a name were looked at, or would not take us", () => {
  const dials = (...outcomes: readonly (readonly [string, DialAttempt["outcome"]])[]) =>
    outcomes.map(([address, outcome]) => aDial({ address, outcome }));
  const looks = [
    anXrayAt(0, { addressCount: 4, dials: dials(["b:1", "connected"], ["a:1", "connected"]) }),
    anXrayAt(1, { addressCount: 4, dials: dials(["c:1", "refused"], ["b:1", "connected"]) }),
  ];
  expect(folded("xray", looks)?.looked).toEqual(["a:1", "c:1", "b:1"]);
  expect(folded("xray", [anXrayAt(0)])).not.toHaveProperty("looked");
});
