import { isIP } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseHosts } from "../../src/net/hosts.ts";

it("reads addresses and names as libc does", () => {
  const text = [
    "# written by the kubelet",
    "127.0.0.1\tlocalhost",
    "::1 localhost ip6-localhost",
    "10.0.0.7  Orders orders.shop.svc # the pod",
    "10.0.0.7 orders",
    "not-an-address db",
    "10.0.0.9",
    "",
  ].join("\r\n");
  expect(Object.fromEntries(parseHosts(text))).toEqual({
    localhost: ["127.0.0.1", "::1"],
    "ip6-localhost": ["::1"],
    orders: ["10.0.0.7"],
    "orders.shop.svc": ["10.0.0.7"],
  });
});

it("finds every name that was written, whatever stands around it", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const entry = fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), name);
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const text = entries.map(([address, one]) => `${address} other\t${one} # x`).join("\n");
      const table = parseHosts(text);
      const missing = entries.filter(([address, one]) => !table.get(one)?.includes(address));
      expect(missing).toEqual([]);
    }),
  );
});

it("makes addresses only, of any text", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), (text) => {
      const addresses = [...parseHosts(text).values()].flat();
      expect(addresses.filter((address) => isIP(address) === 0)).toEqual([]);
    }),
  );
});

it("stops after ten thousand lines", () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `10.0.0.1 host-${i}`);
  expect(parseHosts(lines.join("\n")).size).toBe(10_000);
});
