import fc from "fast-check";
import { expect, it } from "vitest";
import { parseAddress, parseListen } from "../../src/config/address.ts";
import { endpointText } from "../../src/model/target.ts";

const name = (host: string, port: number) => ({ value: { kind: "name", host, port } });
const ip = (host: string, port: number) => ({ value: { kind: "ip", host, port } });
const unix = (path: string) => ({ value: { kind: "unix", path } });

it.each([
  ["localhost:50051", name("localhost", 50_051)],
  ["orders.shop.svc.cluster.local.:1", name("orders.shop.svc.cluster.local.", 1)],
  ["my_service:443", name("my_service", 443)],
  ["127.0.0.1:65535", ip("127.0.0.1", 65_535)],
  ["[::1]:50051", ip("::1", 50_051)],
  ["[fe80::1%eth0]:50051", ip("fe80::1%eth0", 50_051)],
  ["[::ffff:10.0.0.1]:50051", ip("::ffff:10.0.0.1", 50_051)],
  ["dns:///orders:50051", name("orders", 50_051)],
  ["dns:orders:50051", name("orders", 50_051)],
  ["dns:///10.0.0.1:50051", ip("10.0.0.1", 50_051)],
  ["ipv4:10.0.0.1:50051", ip("10.0.0.1", 50_051)],
  ["ipv6:[::1]:50051", ip("::1", 50_051)],
  ["unix:/run/app.sock", unix("/run/app.sock")],
  ["unix:///run/app.sock", unix("/run/app.sock")],
  ["unix:app.sock", unix("app.sock")],
])("reads %s", (text, parsed) => {
  expect(parseAddress(text)).toEqual(parsed);
});

it.each(["10.96.0.10", "10.96.0.10:5353", "[fd00::a]:53", "fd00::a"])(
  "keeps the name server %s as written",
  (nameServer) => {
    const value = { kind: "name", host: "orders", port: 50_051, nameServer };
    expect(parseAddress(`dns://${nameServer}/orders:50051`)).toEqual({ value });
  },
);

it.each([
  ["", "host:port, [ipv6]:port, dns:///name:port, dns://name-server-ip/name:port or unix:/path"],
  ["localhost", "localhost:port (the port is needed)"],
  ["10.0.0.1", "10.0.0.1:port (the port is needed)"],
  ["[::1]", "[::1]:port (the port is needed)"],
  ["fe80::1", "[fe80::1]:port (IPv6 stands in brackets, and the port is needed)"],
  ["localhost:", "a port from 1 to 65535"],
  ["localhost:0", "a port from 1 to 65535"],
  ["localhost:65536", "a port from 1 to 65535"],
  ["localhost:http", "a port from 1 to 65535"],
  ["1.2.3:50051", "an IPv4 address of four numbers up to 255"],
  ["01.2.3.4:50051", "an IPv4 address of four numbers up to 255"],
  ["unix:", "unix:/path or unix:///path"],
  [`unix:/${"x".repeat(107)}`, "unix:/path with a path of at most 107 bytes"],
  ["dns://orders:50051", "dns:///name:port (three slashes) or dns://name-server-ip/name:port"],
  [
    "dns://kube-dns/orders:1",
    "dns://name-server-ip/name:port with an IP address, as 10.96.0.10 or [fd00::a]:53",
  ],
])("refuses %j and says what it wants", (text, allowed) => {
  expect(parseAddress(text)).toEqual({ allowed });
});

it.each([
  "a..b:1",
  "-a:1",
  "a b:1",
  `${"x".repeat(64)}:1`,
  "[::g]:1",
  "[1.2.3.4]:1",
  "xds:///orders",
])("refuses the host of %j", (text) => {
  expect(parseAddress(text)).toHaveProperty("allowed");
});

it.each([
  [":19464", { port: 19_464 }],
  [":0", { port: 0 }],
  ["127.0.0.1:19465", { host: "127.0.0.1", port: 19_465 }],
  ["[::1]:1", { host: "::1", port: 1 }],
  ["localhost:1", { host: "localhost", port: 1 }],
])("reads the listen address %s", (text, value) => {
  expect(parseListen(text)).toEqual({ value });
});

it.each(["", "19464", "orders:1", "::1:19464", ":65536", "127.0.0.1:"])(
  "refuses the listen address %j",
  (text) => {
    expect(parseListen(text)).toHaveProperty("allowed");
  },
);

const port = fc.integer({ min: 1, max: 65_535 });

it("reads every IPv4 and IPv6 address, and prints it as it was", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (host, number) => {
      const text = host.includes(":") ? `[${host}]:${number}` : `${host}:${number}`;
      const parsed = parseAddress(text);
      expect("value" in parsed && endpointText(parsed.value)).toBe(text);
    }),
  );
});

it("reads every domain name, plainly and behind dns:///", () => {
  fc.assert(
    fc.property(fc.domain(), port, (host, number) => {
      expect(parseAddress(`${host}:${number}`)).toEqual(name(host, number));
      expect(parseAddress(`dns:///${host}:${number}`)).toEqual(name(host, number));
    }),
  );
});

it("never throws", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(["value", "allowed"]).toContain(Object.keys(parseAddress(text))[0]);
    }),
  );
});
