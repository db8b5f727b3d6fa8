import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { JobOf } from "../../src/model/job.ts";
import { createNameResolver } from "../../src/net/resolve.ts";
import { dns } from "../../src/sources/dns.ts";
import { createManualClock, START } from "../support/clock.ts";
import { type ScriptedResolver, startResolver } from "../support/resolver.ts";
import { aTools, observe } from "../support/tools.ts";

let server: ScriptedResolver;
let folder: string;

beforeEach(async () => {
  server = await startResolver({ "orders.test": { a: ["10.0.0.2", "10.0.0.1"], ttlSeconds: 5 } });
  folder = await mkdtemp(join(tmpdir(), "dns-"));
  await writeFile(join(folder, "hosts"), "10.1.1.1 pinned.test\n");
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const base = { source: "dns", target: "inventory", at: START };
const look = (change: Partial<JobOf<"dns">>) => {
  const clock = createManualClock();
  const files = { hostsFile: join(folder, "hosts"), resolvConf: join(folder, "none") };
  const resolver = createNameResolver({ clock, ...files });
  const job: JobOf<"dns"> = {
    key: "inventory/dns",
    source: "dns",
    label: "dns",
    target: "inventory",
    cadence: { kind: "every", ms: 30_000 },
    deadlineMs: 10_000,
    name: "orders.test",
    nameServer: server.address,
    ...change,
  };
  return observe(dns, job, aTools({ clock, resolver }));
};

it("yields the addresses, with the lowest TTL and the names that were asked", async () => {
  expect(await look({})).toEqual([
    { ...base, kind: "capability", available: true },
    {
      ...base,
      kind: "lookup",
      name: "orders.test",
      outcome: "answered",
      addresses: ["10.0.0.1", "10.0.0.2"],
      ttlMs: 5_000,
      triedNames: ["orders.test"],
      durationMs: 0,
    },
  ]);
});

it("yields which type of address nobody answered for", async () => {
  server.script({ "orders.test": { a: ["10.0.0.1"], drops: "AAAA" } });
  expect(await look({})).toMatchObject([
    { kind: "capability" },
    { outcome: "answered", addresses: ["10.0.0.1"], unanswered: "AAAA" },
  ]);
});

it("yields why there are none", async () => {
  expect(await look({ name: "gone.test" })).toEqual([
    { ...base, kind: "capability", available: true },
    {
      ...base,
      kind: "lookup",
      name: "gone.test",
      outcome: "failed",
      cause: "nxdomain",
      addresses: [],
      triedNames: ["gone.test"],
      durationMs: 0,
    },
  ]);
});

it.each([
  ["pinned.test", "the name stands in the hosts file: the DNS is not asked", {}],
  ["10.0.0.1", "the target is an address: the DNS is not asked", {}],
])("judges nothing of %s", async (name, reason, more) => {
  expect(await look({ name })).toEqual([
    { ...base, kind: "capability", available: false, reason, ...more },
  ]);
});

it("says what is missing where nobody can be asked", async () => {
  expect(await look({ nameServer: "dns.test" })).toEqual([
    {
      ...base,
      kind: "capability",
      available: false,
      reason: "the name server is not given as an address",
      fix: "Give the pod a name server by its address.",
    },
  ]);
});
