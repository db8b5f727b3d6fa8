import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dialOrder } from "../../src/net/dial-order.ts";
import { createNameResolver, type NameAnswer } from "../../src/net/resolve.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { type ScriptedResolver, startResolver } from "../support/resolver.ts";

let dns: ScriptedResolver;
let folder: string;

beforeEach(async () => {
  dns = await startResolver();
  folder = await mkdtemp(join(tmpdir(), "resolve-"));
  await writeFile(join(folder, "hosts"), "10.1.1.1 pinned.example\nfd00::7 pinned.example\n");
  await writeFile(
    join(folder, "resolv.conf"),
    "nameserver 127.0.0.1\nsearch shop.svc.test svc.test\noptions ndots:3\n",
  );
});

afterEach(async () => {
  await dns.close();
  await rm(folder, { recursive: true });
});

const never = new AbortController().signal;
const resolverOf = (files: { hosts?: string; conf?: string } = {}) =>
  createNameResolver({
    clock: systemClock,
    hostsFile: join(folder, files.hosts ?? "hosts"),
    resolvConf: join(folder, files.conf ?? "resolv.conf"),
  });
/** All but the time that it took. */
const facts = (answer: NameAnswer) => {
  const { durationMs, ...rest } = answer;
  expect(durationMs).toBeGreaterThanOrEqual(0);
  return rest;
};

it.each([
  ["10.0.0.1", ["10.0.0.1"]],
  ["fd00::1", ["fd00::1"]],
  ["localhost", ["127.0.0.1", "::1"]],
  ["LocalHost.", ["127.0.0.1", "::1"]],
])("asks nobody for %s", async (name, addresses) => {
  expect(facts(await resolverOf().resolve({ name, signal: never }))).toEqual({
    outcome: "answered",
    via: "literal",
    addresses,
    triedNames: [],
  });
});

it("believes the hosts file first", async () => {
  const answer = await resolverOf().resolve({ name: "Pinned.example", signal: never });
  expect(facts(answer)).toEqual({
    outcome: "answered",
    via: "hosts",
    addresses: ["10.1.1.1", "fd00::7"],
    triedNames: [],
  });
  expect(dns.questions).toEqual([]);
});

it("tells that nobody answers for one type of address", async () => {
  dns.script({ "orders.test": { aaaa: ["fd00::1"], drops: "A", ttlSeconds: 5 } });
  const question = { name: "orders.test.", nameServer: dns.address, signal: never };
  expect(facts(await resolverOf().resolve(question))).toEqual({
    outcome: "answered",
    via: "dns",
    addresses: ["fd00::1"],
    ttlMs: 5_000,
    unanswered: "A",
    triedNames: expect.arrayContaining(["orders.test"]),
  });
});

it("asks the search list in order, and then only the name that answered", async () => {
  dns.script({ "orders.svc.test": { a: ["10.0.0.2", "10.0.0.1"], ttlSeconds: 5 } });
  const resolver = resolverOf();
  const ask = () => resolver.resolve({ name: "orders", nameServer: dns.address, signal: never });

  expect(facts(await ask())).toEqual({
    outcome: "answered",
    via: "dns",
    addresses: ["10.0.0.1", "10.0.0.2"],
    ttlMs: 5_000,
    triedNames: ["orders.shop.svc.test", "orders.svc.test"],
  });
  const asked = dns.questions.length;
  expect(await ask()).toMatchObject({ triedNames: ["orders.svc.test"] });
  expect(dns.questions.slice(asked).toSorted()).toEqual([
    "A orders.svc.test",
    "AAAA orders.svc.test",
  ]);

  // The name moved: the whole list is asked again, at once.
  dns.script({ "orders.shop.svc.test": { aaaa: ["fd00::9"] } });
  expect(facts(await ask())).toEqual({
    outcome: "answered",
    via: "dns",
    addresses: ["fd00::9"],
    ttlMs: 30_000,
    triedNames: ["orders.svc.test", "orders.shop.svc.test"],
  });
});

it("gives the order in which a pod dials, beside the sorted addresses", async () => {
  dns.script({ "orders.svc.test": { a: ["10.0.0.2", "10.0.0.3", "10.0.0.1"] } });
  const conf = { resolvConf: join(folder, "resolv.conf"), hostsFile: join(folder, "hosts") };
  const resolver = createNameResolver({ clock: systemClock, seed: "pod-1", ...conf });
  const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

  expect(
    await resolver.resolve({ name: "orders", nameServer: dns.address, signal: never }),
  ).toMatchObject({ addresses, dialOrder: dialOrder(addresses, "pod-1") });
});

it("takes a name with enough dots as it stands, and one with a dot at the end alone", async () => {
  dns.script({ "a.b.c.test": { a: ["10.0.0.1"] } });
  const resolver = resolverOf();
  const ask = (name: string) => resolver.resolve({ name, nameServer: dns.address, signal: never });

  expect(await ask("a.b.c.test")).toMatchObject({ triedNames: ["a.b.c.test"] });
  expect(facts(await ask("nobody."))).toEqual({
    outcome: "failed",
    cause: "nxdomain",
    triedNames: ["nobody"],
  });
});

it.each([
  ["nxdomain", {}],
  ["no-data", { "orders.svc.test": {} }],
  ["servfail", { "orders.svc.test": { fault: "SERVFAIL" } }],
  ["refused", { "orders.svc.test": { fault: "REFUSED" } }],
] as const)("says %s, having tried every name", async (cause, script) => {
  dns.script(script);
  const answer = await resolverOf().resolve({
    name: "orders",
    nameServer: dns.address,
    signal: never,
  });
  expect(facts(answer)).toEqual({
    outcome: "failed",
    cause,
    triedNames: ["orders.shop.svc.test", "orders.svc.test", "orders"],
  });
});

it("says timeout when nobody answers in time, and asks no further", async () => {
  dns.script({ "orders.shop.svc.test": { fault: "silent" } });
  const answer = await resolverOf().resolve({
    name: "orders",
    nameServer: dns.address,
    signal: systemClock.deadline(100),
  });
  expect(facts(answer)).toEqual({
    outcome: "failed",
    cause: "timeout",
    triedNames: ["orders.shop.svc.test"],
  });
});

it("says timeout when the server's port is closed", async () => {
  const gone = await startResolver();
  await gone.close();
  const answer = await resolverOf().resolve({
    name: "orders.",
    nameServer: gone.address,
    signal: never,
  });
  expect(answer).toMatchObject({ outcome: "failed", cause: "timeout" });
});

it("keeps the good expansion through a fault of the server", async () => {
  dns.script({ "orders.svc.test": { a: ["10.0.0.1"] } });
  const resolver = resolverOf();
  const ask = () => resolver.resolve({ name: "orders", nameServer: dns.address, signal: never });
  await ask();
  dns.script({ "orders.svc.test": { fault: "SERVFAIL" } });

  expect(facts(await ask())).toEqual({
    outcome: "failed",
    cause: "servfail",
    triedNames: ["orders.svc.test"],
  });
});

it("reads a long answer over TCP", async () => {
  const addresses = Array.from({ length: 200 }, (_, i) => `10.0.1.${i}`);
  dns.script({ "many.test": { a: addresses, isTruncated: true } });
  const answer = await resolverOf().resolve({
    name: "many.test.",
    nameServer: dns.address,
    signal: never,
  });
  expect(answer).toMatchObject({ outcome: "answered", addresses: addresses.toSorted() });
  expect(dns.questions).toContain("A many.test/tcp");
});

it.each([
  ["resolv.conf cannot be read", { conf: "none" }, {}],
  ["resolv.conf names no name server", { conf: "hosts" }, {}],
  ["the name server is not given as an address", {}, { nameServer: "dns.example:53" }],
  ["the name server is not given as an address", {}, { nameServer: "1.2.3.4:99999" }],
])("does not accuse the name when %s", async (reason, files, question) => {
  const answer = await resolverOf(files).resolve({ name: "orders", signal: never, ...question });
  expect(facts(answer)).toEqual({ outcome: "unavailable", reason, triedNames: [] });
});
