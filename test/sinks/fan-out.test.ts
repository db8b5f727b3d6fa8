import { expect, it } from "vitest";
import type { AgentEvent } from "../../src/model/event.ts";
import { fanOut } from "../../src/sinks/fan-out.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import { SinkState } from "../../src/sinks/sink-state.ts";
import { aChange, NOW } from "./values.ts";

const stopping: AgentEvent = { kind: "stopping", signal: "SIGTERM", at: NOW };
const never = new AbortController().signal;

/** A fan-out over one sink whose failing is a switch, and one that is well. */
function start() {
  const heard: unknown[] = [];
  const events: AgentEvent[] = [];
  const sick = { isFailing: false };
  const fail = (): void => {
    if (sick.isFailing) throw new Error("disk full\nsecond line");
  };
  const failing: Sink = { name: "failing", change: fail, hear: fail };
  const well: Sink = {
    name: "well",
    change: (change) => heard.push(change),
    hear: (event) => heard.push(event),
  };
  const all = fanOut([failing, well], {
    now: () => NOW,
    event: (event) => {
      events.push(event);
      all.hear(event);
    },
  });
  return { all, heard, events, sick };
}

const failed: AgentEvent = {
  kind: "sink-failed",
  sink: "failing",
  errorText: "disk full",
  at: NOW,
};

it("says nothing while every sink works", () => {
  const { all, heard, events } = start();
  all.change(aChange());
  all.hear(stopping);
  expect(events).toEqual([]);
  expect(heard).toEqual([aChange(), stopping]);
});

it("keeps a failure from the other sinks and from the caller, and tells it once", () => {
  const { all, heard, events, sick } = start();
  sick.isFailing = true;
  all.change(aChange());
  all.change(aChange());
  expect(events).toEqual([failed]);
  expect(heard).toEqual([failed, aChange(), aChange()]);
});

it("tells the recovery when every way works that had failed", () => {
  const { all, events, sick } = start();
  sick.isFailing = true;
  all.change(aChange());
  sick.isFailing = false;
  all.hear(stopping);
  expect(events).toEqual([failed]);
  all.change(aChange());
  expect(events).toEqual([failed, { kind: "sink-recovered", sink: "failing", at: NOW }]);
});

it("closes all of them although one rejects", async () => {
  const closed: string[] = [];
  const events: AgentEvent[] = [];
  const sinks: Sink[] = [
    { name: "a", close: () => Promise.reject(new Error("collector gone")) },
    { name: "b", close: () => Promise.resolve(void closed.push("b")) },
  ];
  const all = fanOut(sinks, { now: () => NOW, event: (event) => events.push(event) });
  await all.close(never);
  expect(closed).toEqual(["b"]);
  expect(events).toEqual([
    { kind: "sink-failed", sink: "a", errorText: "collector gone", at: NOW },
  ]);
});

it.each([
  ["a collector's words", new Error("16 UNAUTHENTICATED: token=hunter2x"), "token=<token>"],
  [
    "the system's words about a port",
    Object.assign(new Error("listen EADDRINUSE: 127.0.0.1:9464"), { syscall: "listen" }),
    "127.0.0.1:9464",
  ],
  ["what is no error", "Bearer hunter2x", "Bearer <token>"],
])("tells %s as far as it may", (_what, thrown, told) => {
  const events: AgentEvent[] = [];
  const event = (one: AgentEvent) => void events.push(one);
  new SinkState("otlp", { now: () => NOW, event }).failed("export", thrown);
  expect(events).toMatchObject([{ errorText: expect.stringContaining(told) }]);
});
