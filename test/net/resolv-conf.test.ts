import fc from "fast-check";
import { expect, it } from "vitest";
import { expansionsOf, parseResolvConf } from "../../src/net/resolv-conf.ts";

it("reads the file of a Kubernetes pod", () => {
  const text = [
    "search shop.svc.cluster.local svc.cluster.local cluster.local.",
    "nameserver 10.96.0.10",
    "options ndots:5 timeout:2",
  ].join("\n");
  expect(parseResolvConf(text)).toEqual({
    nameServers: ["10.96.0.10"],
    search: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"],
    ndots: 5,
  });
});

it.each([
  ["nothing", "", { nameServers: [], search: [], ndots: 1 }],
  ["a domain", "domain example.org", { nameServers: [], search: ["example.org"], ndots: 1 }],
  ["two search lines", "search a\nsearch b c", { nameServers: [], search: ["b", "c"], ndots: 1 }],
  ["ndots beyond libc's", "options ndots:99", { nameServers: [], search: [], ndots: 15 }],
  [
    "more servers than libc takes, and one that is none",
    "nameserver 1.1.1.1\nnameserver dns\nnameserver ::1\nnameserver 2.2.2.2\nnameserver 3.3.3.3",
    { nameServers: ["1.1.1.1", "::1", "2.2.2.2"], search: [], ndots: 1 },
  ],
  [
    "comments",
    "; search a\n# search b\nsearch c # d",
    { nameServers: [], search: ["c"], ndots: 1 },
  ],
])("reads %s", (_what, text, want) => {
  expect(parseResolvConf(text)).toEqual(want);
});

const conf = { nameServers: [], search: ["shop.svc", "svc"], ndots: 2 };

it.each([
  ["fewer dots than ndots: suffixes first", "orders", ["orders.shop.svc", "orders.svc", "orders"]],
  ["as many: suffixes last", "a.b.c", ["a.b.c", "a.b.c.shop.svc", "a.b.c.svc"]],
  ["a dot at the end: alone", "orders.", ["orders"]],
])("expands a name with %s", (_when, name, want) => {
  expect(expansionsOf(name, conf)).toEqual(want);
});

it("keeps its bounds, whatever the text", () => {
  const line = fc.tuple(
    fc.constantFrom("search", "nameserver", "options", "domain", "#", ""),
    fc.string({ maxLength: 60 }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const { nameServers, search, ndots } = parseResolvConf(
        lines.map((words) => words.join(" ")).join("\n"),
      );
      expect(nameServers.length).toBeLessThanOrEqual(3);
      expect(search.length).toBeLessThanOrEqual(32);
      expect(ndots).toBeLessThanOrEqual(15);
    }),
  );
});
