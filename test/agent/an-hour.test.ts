import { expect, it, onTestFinished } from "vitest";
import { createCore } from "../../src/agent/core.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import { createManualClock } from "../support/clock.ts";
import { answers, SERVING } from "../support/faulty-server.ts";
import { someSettings } from "../support/findings.ts";
import { aResolver, aTarget } from "../support/targets.ts";
import { startCountingServer } from "./counting-server.ts";

/**
 * The manners of an hour, by the agent's clock: what two well servers are asked, one that answers all that
 * we ask, and one that has neither health nor channelz, so that no call is ever open on what we keep.
 */
const MINUTES = 60;
/** Source: the table of one agent in docs/scale.md. Channelz is out of step with whole seconds, by 3 %. */
const A_MINUTE = { visits: 2, polls: 6, channelz: 6 / 0.97 };

/** One page, without an entry. */
const NONE = [0x10, 1];
const EVERYTHING = {
  [health("Check")]: answers.messages(SERVING),
  [health("Watch")]: answers.stall(SERVING),
  [channelz("GetServers")]: answers.messages(NONE),
  [channelz("GetTopChannels")]: answers.messages(NONE),
};
/** Asked once, and then not for an hour. */
const ONCE = {
  [health("Watch")]: 1,
  [health("List")]: 1,
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": 1,
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": 1,
};

it("asks, visits and pings in an hour what the documents say", { timeout: 180_000 }, async () => {
  const clock = createManualClock();
  const well = await startCountingServer(clock, EVERYTHING);
  const bare = await startCountingServer(clock, {});
  const told: string[] = [];
  const core = createCore({
    clock,
    random: () => 0.5,
    settings: someSettings(DETECTORS, {
      targets: [
        aTarget(well.address, { name: "well", channelz: { everyMs: 10_000 } }),
        aTarget(bare.address, { name: "bare", channelz: { everyMs: 10_000 } }),
      ],
    }),
    seed: "pod",
    resolver: aResolver(),
    ownListeners: [],
    observe: () => undefined,
    hear: () => undefined,
    change: ({ finding }) => void told.push(finding.code),
  });
  onTestFinished(async () => {
    await core.stop();
    await Promise.all([well.close(), bare.close()]);
  });
  core.begin();
  await clock.advance(MINUTES * 60_000);

  const { visits, polls, channelz: cycles } = A_MINUTE;
  expect(well.counted).toEqual({
    connections: anHourOf(visits),
    pings: anHourOf(visits),
    strikes: 0,
    calls: {
      ...ONCE,
      [health("Check")]: anHourOf(visits + polls),
      [channelz("GetServers")]: anHourOf(cycles),
      [channelz("GetTopChannels")]: anHourOf(cycles),
    },
  });
  expect(bare.counted).toEqual({
    connections: anHourOf(visits),
    pings: anHourOf(visits),
    strikes: 0,
    calls: {
      ...ONCE,
      [health("Check")]: anHourOf(visits),
      [channelz("GetServers")]: 1,
    },
  });
  expect(told).toEqual([]);
});

function health(method: string): string {
  return `/grpc.health.v1.Health/${method}`;
}

function channelz(method: string): string {
  return `/grpc.channelz.v1.Channelz/${method}`;
}

/** With the first looks, and what the ends cut: four more or fewer. */
const anHourOf = (perMinute: number) => expect.closeTo(MINUTES * perMinute, -1);
