import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { followConfiguration } from "../../src/agent/reload.ts";
import { ConfigError } from "../../src/config/fault.ts";
import type { AgentEvent } from "../../src/model/event.ts";
import type { Settings } from "../../src/model/settings.ts";
import { createManualClock, START } from "../support/clock.ts";
import { someSettings } from "../support/findings.ts";

const FIRST = someSettings([]);
const FAULT = { line: 1, column: 1, path: "targets", found: "nothing", allowed: "a list" };

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));
const stopping: AbortController[] = [];
afterEach(() => {
  for (const one of stopping.splice(0)) one.abort();
});

/** A follower of a file that says what the test says; an empty text of faults: it is good. */
function follow(faultsAtStart: readonly string[] = []) {
  const clock = createManualClock();
  const file = join(folder, "config.yaml");
  const said: { settings: Settings; fault: string; shortage: string | undefined } = {
    settings: FIRST,
    fault: "",
    shortage: undefined,
  };
  const heard: AgentEvent[] = [];
  const applied: Settings[] = [];
  const stop = new AbortController();
  stopping.push(stop);
  const load = async () => {
    if (said.fault === "") return said.settings;
    throw new ConfigError([{ ...FAULT, file: "config.yaml", path: said.fault }], said.shortage);
  };
  const running = { settings: FIRST, isDefault: faultsAtStart.length > 0, since: START };
  const follower = followConfiguration({
    clock,
    configuration: { file, load, faults: faultsAtStart },
    signal: stop.signal,
    running,
    apply: (settings) => void applied.push(settings),
    hear: (event) => void heard.push({ ...event, at: 0 }),
  });
  /** What came of an order, with the time that it takes to read a bad file twice. */
  const order = async () => {
    const outcome = follower.reload();
    await clock.advance(1_000);
    return outcome;
  };
  return { clock, said, heard, applied, order, file };
}

it("tells an order that changed nothing, and is silent on its own rounds", async () => {
  const { clock, heard, applied, order, file } = follow();
  await clock.advance(180_000);
  expect(heard).toEqual([]);
  expect(await order()).toEqual({ outcome: "unchanged" });
  expect(heard).toEqual([{ kind: "config-unchanged", at: 0, file }]);
  expect(applied).toEqual([]);
});

it("applies what changed, and names the sections", async () => {
  const { clock, said, heard, applied, file } = follow();
  said.settings = { ...FIRST, webhook: { url: "http://hook" }, ignore: [] };
  await clock.advance(60_000);
  expect(applied).toEqual([said.settings]);
  expect(heard).toEqual([{ kind: "config-loaded", at: 0, file, changed: ["webhook"] }]);
});

it("says of which changes only a start takes notice", async () => {
  const { said, heard, order, file } = follow();
  const loaded = (...changed: readonly string[]) =>
    ({ kind: "config-loaded", at: 0, file, changed }) as const;
  said.settings = { ...FIRST, listen: { port: 1 }, tracing: { ratio: 1 } };
  expect(await order()).toEqual({ outcome: "loaded" });
  expect(heard).toEqual([
    loaded("listen", "tracing"),
    {
      kind: "config-warning",
      at: 0,
      text: `${file}: what changed in listen, tracing takes effect when the agent starts again`,
    },
  ]);

  said.settings = { ...said.settings, tracing: { ratio: 0.5 } };
  await order();
  said.settings = { ...FIRST, tracing: { ratio: 0.5 } };
  await order();
  expect(heard.slice(2)).toMatchObject([loaded("tracing"), loaded("listen")]);
});

it("tells a bad file once, and again only to who asks or when its faults are others", async () => {
  const { clock, said, heard, applied, order, file } = follow();
  const rejected = (fault: string) => ({
    kind: "config-rejected",
    at: 0,
    file,
    faults: [`config.yaml:1:1: ${fault}: found nothing, allowed: a list`],
    runningOn: "last-good",
    runningSince: START,
  });
  said.fault = "targets";
  await clock.advance(600_000);
  expect(heard).toEqual([rejected("targets")]);

  said.fault = "probes";
  await clock.advance(600_000);
  expect(heard).toEqual([rejected("targets"), rejected("probes")]);

  expect(await order()).toMatchObject({ outcome: "rejected" });
  expect(heard).toEqual([rejected("targets"), rejected("probes"), rejected("probes")]);
  expect(applied).toEqual([]);

  said.fault = "";
  await clock.advance(60_000);
  expect(heard.slice(3)).toEqual([{ kind: "config-loaded", at: 0, file, changed: [] }]);
});

it("knows the faults of the start", async () => {
  const fault = "config.yaml:1:1: targets: found nothing, allowed: a list";
  const { clock, said, heard, order, file } = follow([fault]);
  said.fault = "targets";
  await clock.advance(600_000);
  expect(heard).toEqual([]);

  said.fault = "";
  expect(await order()).toEqual({ outcome: "loaded" });
  expect(heard).toEqual([{ kind: "config-loaded", at: 0, file, changed: [] }]);
});

it("holds nothing against a file that it lacked a descriptor to read", async () => {
  const { clock, said, heard, order } = follow();
  said.fault = "(file)";
  said.shortage = "EMFILE";
  await clock.advance(600_000);
  expect(await order()).toMatchObject({ outcome: "unread" });
  expect(heard).toEqual([]);
  said.shortage = undefined;
  await clock.advance(61_000);
  expect(heard).toMatchObject([{ kind: "config-rejected" }]);
});
