import { afterEach, expect, it } from "vitest";
import { examine } from "../../src/agent/examine.ts";
import { defaultSettings } from "../../src/config/defaults.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import type { Settings } from "../../src/model/settings.ts";
import { systemClock, systemRandom } from "../../src/schedule/clock.ts";
import { issue } from "../support/certificates.ts";
import { startFaultyServer } from "../support/faulty-server.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
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
  const { report } = await examine({
    clock: systemClock,
    random: systemRandom,
    identity: { seed: "pod", version: "1.2.3", node: "24" },
    settings: settingsFor(server.address),
    forMs: 10,
    signal: new AbortController().signal,
  });
  expect(report.active.map(({ code }) => code)).toEqual(["tls-cert-expired"]);
});
