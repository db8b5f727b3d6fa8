import { afterEach, expect, it } from "vitest";
import { examine } from "../../src/agent/examine.ts";
import { defaultSettings } from "../../src/config/defaults.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import type { Settings } from "../../src/model/settings.ts";
import { knownValue } from "../../src/model/snapshot.ts";
import { systemClock, systemRandom } from "../../src/schedule/clock.ts";
import { issue } from "../support/certificates.ts";
import { startFaultyServer } from "../support/faulty-server.ts";
import { targetIn } from "../support/observations.ts";
import { startResolver } from "../support/resolver.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const look = (settings: Settings) =>
  examine({
    clock: systemClock,
    random: systemRandom,
    identity: { seed: "pod", version: "1.2.3", node: "24" },
    settings,
    forMs: 10,
    signal: new AbortController().signal,
  });

function settingsFor(address: string): Settings {
  const parsed = defaultSettings({ address, detectors: DETECTORS });
  if (!("value" in parsed)) throw new Error("the address of the test is bad");
  return parsed.value;
}

it("looks until a sick handshake was seen twice, however short the look was meant to be", async () => {
  const leaf = await issue({ dns: ["orders.shop"], fromDays: -10, toDays: -1 });
  const server = await startFaultyServer({ tls: { cert: leaf.cert, key: leaf.key } });
  stops.push(() => server.crash());
  const { report } = await look(settingsFor(server.address));
  expect(report.active.map(({ code }) => code)).toEqual(["tls-cert-expired"]);
});

it("looks at each address of a name, also beyond the first four, and stays at the one that is sick", async () => {
  const [host = "", ...others] = ["2", "3", "4", "5", "6", "7"].map((octet) => `127.0.0.${octet}`);
  const good = await startFaultyServer({ host });
  const { port } = good;
  const replicas = await Promise.all(others.map((each) => startFaultyServer({ host: each, port })));
  const leaf = await issue({ dns: ["orders.shop"], fromDays: -10, toDays: -1 });
  const tls = { cert: leaf.cert, key: leaf.key };
  const sick = await startFaultyServer({ host: "127.0.0.9", port, tls });
  const hosts = [host, ...others];
  const zone = await startResolver({
    "well.test": { a: hosts },
    "one.test": { a: [...hosts, "127.0.0.9"] },
  });
  stops.push(...[good, ...replicas, sick].map((server) => () => server.crash()), () =>
    zone.close(),
  );
  const lookAt = (name: string) => look(settingsFor(`dns://${zone.address}/${name}:${port}`));

  const well = await lookAt("well.test");
  expect(well.report.active).toEqual([]);
  expect(knownValue(targetIn(well.snapshot), "xray")?.looked?.toSorted()).toEqual(
    hosts.map((each) => `${each}:${port}`),
  );
  const bad = await lookAt("one.test");
  expect(bad.report.active.map(({ code }) => code)).toEqual(["tls-cert-expired"]);
});

it("confirms what one of several replicas shows, though each has a certificate of its own", async () => {
  const issued = await Promise.all(
    [90, 90, -1].map((toDays) => issue({ dns: ["a.shop"], fromDays: -10, toDays })),
  );
  const [first = {}, second = {}, expired = {}] = issued.map(({ cert, key }) => ({
    tls: { cert, key },
  }));
  const one = await startFaultyServer({ host: "127.0.0.2", ...first });
  const { port } = one;
  const two = await startFaultyServer({ host: "127.0.0.3", port, ...second });
  const sick = await startFaultyServer({ host: "127.0.0.4", port, ...expired });
  const hosts = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
  const zone = await startResolver({ "three.test": { a: hosts } });
  stops.push(...[one, two, sick].map((server) => () => server.crash()), () => zone.close());
  const { report, snapshot } = await look(settingsFor(`dns://${zone.address}/three.test:${port}`));
  expect(report.active.map(({ code }) => code)).toEqual(["tls-cert-expired"]);
  expect(knownValue(targetIn(snapshot), "xray")?.looked?.toSorted()).toEqual(
    hosts.map((each) => `${each}:${port}`),
  );
});

it("suspects the one of several replicas that refuses, and names it", async () => {
  const one = await startFaultyServer({ host: "127.0.0.2" });
  const { port } = one;
  const two = await startFaultyServer({ host: "127.0.0.3", port });
  const zone = await startResolver({
    "three.test": { a: ["127.0.0.2", "127.0.0.3", "127.0.0.4"] },
  });
  stops.push(...[one, two].map((server) => () => server.crash()), () => zone.close());
  const { report } = await look(settingsFor(`dns://${zone.address}/three.test:${port}`));
  expect(report.pending).toMatchObject([
    {
      code: "connection-refused",
      severity: "warning",
      evidence: { refusedAddresses: [`127.0.0.4:${port}`] },
    },
  ]);
});
