import { expect, it } from "vitest";
import { createReconciler } from "../../src/agent/reconcile.ts";
import type { Job } from "../../src/model/job.ts";

const dns = (target: string, ms = 30_000): Job => ({
  key: `dns/${target}`,
  source: "dns",
  label: "dns",
  target,
  cadence: { kind: "every", ms },
  deadlineMs: 5_000,
  name: target,
});

it.each<[string, readonly Job[], readonly string[]]>([
  ["nothing for equal jobs", [dns("a"), dns("b")], []],
  ["stops what is gone", [dns("a")], ["stop dns/b"]],
  ["starts what is new", [dns("a"), dns("b"), dns("c")], ["start dns/c"]],
  ["changes what differs", [dns("a", 5_000), dns("b")], ["update dns/a"]],
  ["does all three", [dns("a", 5_000), dns("c")], ["stop dns/b", "update dns/a", "start dns/c"]],
])("does %s", (_what, jobs, want) => {
  const verbs: string[] = [];
  const { reconcile, keys } = createReconciler({
    start: (job) => verbs.push(`start ${job.key}`),
    update: (job) => verbs.push(`update ${job.key}`),
    stop: async (key) => {
      verbs.push(`stop ${key}`);
    },
  });
  reconcile([dns("a"), dns("b")]);
  verbs.length = 0;

  reconcile(jobs);

  expect(verbs).toEqual(want);
  expect(keys().toSorted()).toEqual(jobs.map((job) => job.key).toSorted());
});
