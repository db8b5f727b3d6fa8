import { expect, it } from "vitest";
import { isDead, type Kept } from "../../src/model/facts/kept.ts";
import { aKept, NOW, SECOND } from "../support/snapshot.ts";

const at = (secondsAgo: number) => NOW - secondsAgo * SECOND;
const silent = (secondsAgo: number) =>
  ({ at: at(secondsAgo), outcome: "silent", ms: 2 * SECOND }) as const;
/** Silent from 22 s ago on: the first of three calls took 2 s. */
const sick = {
  state: "open",
  replies: [{ at: at(60), outcome: "replied", ms: 1 }, silent(20), silent(10), silent(0)],
  silentInRow: 3,
} as const;
const dead = (change: Partial<Kept>, lastPassedAt?: number) =>
  isDead(aKept({ ...sick, ...change }), lastPassedAt);

it("is not dead while fresh ones are not answered either", () => {
  expect([dead({}), dead({}, at(22)), dead({}, at(30))]).toEqual([false, false, false]);
});

it("is not dead for two calls, nor when it was closed", () => {
  const two = { replies: [silent(10), silent(0)], silentInRow: 2 };
  expect([dead(two, at(1)), dead({ state: "closed" }, at(1))]).toEqual([false, false]);
});

it("is dead when a fresh one was answered since, however long it lasts", () => {
  const long = { replies: [silent(20), silent(10), silent(0)], silentInRow: 40 };
  expect([dead({}, at(21)), dead(long, at(21))]).toEqual([true, true]);
});
