import { expect, it } from "vitest";
import type { Expectation } from "../../src/model/facts/expectation.ts";
import { createLogSink } from "../../src/sinks/log.ts";
import { anXrayAt, aRefusalAt } from "../support/observations.ts";
import { anExpectation, NOW } from "../support/snapshot.ts";

function start() {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const sink = createLogSink({ level: "info", format: "json", stream, event: () => undefined });
  const configure = (change: Partial<Expectation> = {}) =>
    sink.observe?.({
      source: "config",
      kind: "configured",
      target: "app",
      at: NOW,
      expectation: anExpectation({ address: "localhost:50051", startupMs: 600_000, ...change }),
    });
  return { sink, configure, told: () => lines.map((line) => JSON.parse(line).msg) };
}

it("says nothing of a port that listens, nor when that is lost later", () => {
  const { sink, configure, told } = start();
  configure();
  sink.observe?.(anXrayAt(0));
  sink.observe?.(aRefusalAt(30));
  expect(told()).toEqual([]);
});

it("says nothing of an upstream, nor where no time to start is granted", () => {
  const { sink, configure, told } = start();
  configure({ role: "upstream" });
  sink.observe?.(aRefusalAt(0));
  configure({ address: "localhost:1", startupMs: 0 });
  sink.observe?.(aRefusalAt(1));
  expect(told()).toEqual([]);
});

it("says nothing yet where the connect got no answer", () => {
  const { sink, configure, told } = start();
  configure();
  sink.observe?.(anXrayAt(0, { outcome: "failed", phase: "dns", dials: [] }));
  expect(told()).toEqual([]);
});

it("says once what is waited for and how long, again for another address", () => {
  const { sink, configure, told } = start();
  configure();
  sink.observe?.(aRefusalAt(0));
  sink.observe?.(aRefusalAt(5));
  configure();
  sink.observe?.(aRefusalAt(10));
  configure({ address: "localhost:50052" });
  sink.observe?.(aRefusalAt(15));
  expect(told()).toEqual([
    "waiting for localhost:50051 to listen (up to 10 min)",
    "waiting for localhost:50052 to listen (up to 10 min)",
  ]);
});
