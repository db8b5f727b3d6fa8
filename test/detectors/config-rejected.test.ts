import { expect, it } from "vitest";
import { configRejected } from "../../src/detectors/config-rejected.ts";
import { aConfigState, factsDeclared, factsRead, HOUR, judge, NOW } from "../support/snapshot.ts";

const rejected = {
  at: NOW,
  faults: 3,
  firstFault: "4:9: targets[0].addres: unknown key, did you mean address?",
  runningOn: "last-good",
  runningSince: NOW - HOUR,
} as const;

it("is silent about a configuration that runs, and does not judge an unknown one", () => {
  expect(judge(configRejected, { configState: aConfigState() })).toEqual([]);
  expect(judge(configRejected, {})).toBeUndefined();
});

it("tells the first fault, and what the agent runs on instead", () => {
  expect(judge(configRejected, { configState: aConfigState({ rejected }) })).toEqual([
    {
      subject: { file: "config.yaml" },
      witnesses: ["config"],
      summary:
        "config.yaml was refused (faults: 3), and the agent runs on the last good one: 4:9: targets[0].addres: unknown key, did you mean address?",
      evidence: {
        faults: 3,
        firstFault: "4:9: targets[0].addres: unknown key, did you mean address?",
        runningSinceAt: "2026-01-15T11:00:00.000Z",
        runningOn: "last-good",
      },
    },
  ]);
});

it("tells a pod that started with a bad file that it runs on the default", () => {
  const configState = aConfigState({ rejected: { ...rejected, runningOn: "default" } });
  expect(
    judge(configRejected, { configState })?.map(({ evidence }) => evidence["runningOn"]),
  ).toEqual(["default"]);
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(configRejected)).toEqual(factsDeclared(configRejected));
});
