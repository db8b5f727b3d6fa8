import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseSnapshot } from "../../src/config/parse-snapshot.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import { runDetectors } from "../../src/findings/run-detectors.ts";
import { createTracker } from "../../src/findings/tracker.ts";
import type { CodeSettings, Settings } from "../../src/model/settings.ts";
import type { TargetSnapshot } from "../../src/model/snapshot.ts";
import { NOW, SECOND } from "../support/snapshot.ts";
import { snapshotFile } from "./snapshot-file.ts";
import { TAKEN } from "./taken.ts";

/**
 * Three targets break and heal at random, in every way that `test/snapshots/` has seen of real peers, by
 * an injected clock: what is active after each step is the roots that the table says, and nothing else.
 *
 * `GRPC_DOCTOR_CHAOS_STEPS` makes the walk longer, `GRPC_DOCTOR_SEED` plays one again.
 */
const STEPS = Number(process.env["GRPC_DOCTOR_CHAOS_STEPS"] ?? 40);
const SEED = Number(process.env["GRPC_DOCTOR_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** Longer than any finding of the table is held or takes to clear. */
const STEP_MS = 330 * SECOND;
const LOOK_MS = 30 * SECOND;
const TARGETS = ["one", "two", "three"];

/** A way of being, as it was seen: facts as of `takenAt`. */
interface State {
  readonly name: string;
  readonly takenAt: number;
  readonly target: TargetSnapshot;
  readonly codes: Readonly<Record<string, CodeSettings>>;
  readonly settings: Settings;
}

const states = Object.keys(TAKEN).map(stateOf);
const wellStates = states.filter(({ name }) => name.endsWith("-well"));

it(`names what is broken after each of ${STEPS} steps from seed ${SEED}`, {
  timeout: 3_600_000,
}, () => {
  const random = generator(SEED);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const now = new Map(TARGETS.map((name) => [name, { state: pick(wellStates), epoch: 1 }]));
  const watch = createWatch();
  const walked = Array.from({ length: STEPS }, (_, step) => {
    const target = pick(TARGETS);
    // As often broken as healed.
    const state = pick(random() < 0.5 ? states : wellStates);
    now.set(target, { state, epoch: step + 2 });
    const active = watch(now);
    return { step, target, state: state.name, active };
  });
  expect(walked).toEqual(modelOf(walked));
});

/** Each step with what the table says is to be active after it. */
function modelOf<T extends { readonly target: string; readonly state: string }>(
  walked: readonly T[],
): readonly T[] {
  const broken = new Map<string, string>();
  return walked.map((step) => {
    broken.set(step.target, step.state);
    return { ...step, active: [...broken].flatMap(rootsOf).toSorted() };
  });
}

/** What lasts is no longer only suspected. */
function rootsOf([target, state]: readonly [string, string]): readonly string[] {
  const { active = [], suspected = [] } = TAKEN[state] ?? {};
  const codes = [
    ...active.map((told) => told.split(" ")[1]),
    ...suspected.map((told) => told.split(" ")[0]),
  ];
  return codes.map((code) => `${code} ${target}`);
}

/** Judges twice a minute of a step, as if each target had just been seen in its state. */
function createWatch() {
  const tracker = createTracker({ detectors: DETECTORS });
  let elapsedMs = 0;
  return (now: ReadonlyMap<string, { readonly state: State; readonly epoch: number }>) => {
    const [{ state: first } = { state: states[0] as State }] = [...now.values()];
    const settings: Settings = {
      ...first.settings,
      targets: [...now].flatMap(([name, { state }]) =>
        state.settings.targets.slice(0, 1).map((target) => ({ ...target, name })),
      ),
      findings: Object.fromEntries([...now].map(([name, { state }]) => [name, state.codes])),
    };
    let active: readonly string[] = [];
    for (const endMs = elapsedMs + STEP_MS; elapsedMs < endMs; elapsedMs += LOOK_MS) {
      const takenAt = NOW + elapsedMs;
      const targets = Object.fromEntries(
        [...now].map(([name, { state, epoch }]) => [
          name,
          { ...moved(state.target, takenAt - state.takenAt), epoch },
        ]),
      );
      const snapshot = { takenAt, targets };
      const moment = { now: takenAt, monotonicMs: elapsedMs };
      const judged = { snapshot, settings, detectors: DETECTORS, monotonicMs: () => elapsedMs };
      const { verdicts } = runDetectors(judged);
      tracker.update({ verdicts, snapshot, settings, ...moment, history: { targets: {} } });
      const report = tracker.report({ snapshot, settings, now: takenAt });
      active = report.active.map(({ code, target }) => `${code} ${target}`).toSorted();
    }
    return active;
  };
}

function stateOf(name: string): State {
  const saved = parseSnapshot(readFileSync(snapshotFile(name), "utf8"), DETECTORS);
  if ("fault" in saved) throw new Error(`${name}: ${saved.fault}`);
  const { snapshot, settings } = saved;
  const [configured = ""] = settings.targets.map((target) => target.name);
  const [target, codes] = [snapshot.targets[configured], settings.findings[configured]];
  if (target === undefined || codes === undefined) throw new Error(`${name} has no target`);
  return { name, takenAt: snapshot.takenAt, target, codes, settings };
}

/** Instants are the only numbers of such a size. */
const LEAST_INSTANT = Date.UTC(2020, 0);

/** The same seen so much later. */
function moved<T>(value: T, ms: number): T {
  if (typeof value === "number") return (value > LEAST_INSTANT ? value + ms : value) as T;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => moved(one, ms)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, moved(one, ms)])) as T;
}

/** mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
