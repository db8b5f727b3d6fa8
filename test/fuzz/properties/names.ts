import assert from "node:assert/strict";
import { isIP, isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { parseAddress, parseListen } from "../../../src/config/address.ts";
import { hostKind } from "../../../src/config/ip.ts";
import { type Endpoint, endpointText } from "../../../src/model/target.ts";
import { upstreamName } from "../../../src/model/upstream-name.ts";
import { parseHosts } from "../../../src/net/hosts.ts";
import { expansionsOf, parseResolvConf } from "../../../src/net/resolv-conf.ts";
import { anyText, mutated } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const HOSTS = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost
fe80::1%eth0 linklocal
10.244.1.7\torders-7d9f orders # a comment
`;

export const hostsFiles = defineProperty({
  name: "hosts-files",
  runs: 100,
  input: mutated([HOSTS], ["10.0.0.1 ", "localhost ", "::1"]),
  check(text) {
    const table = parseHosts(text);
    for (const [name, addresses] of table) {
      assert.equal(name, name.toLowerCase());
      assert.ok(name !== "" && !/\s/.test(name));
      assert.ok(addresses.length > 0 && addresses.every((address) => isIP(address) !== 0));
      assert.equal(new Set(addresses).size, addresses.length);
    }
  },
});

const RESOLV_CONF = `search shop.svc.cluster.local svc.cluster.local cluster.local
nameserver 10.96.0.10
nameserver fd00::a
options ndots:5 timeout:1
domain example.test
`;

export const resolvConfs = defineProperty({
  name: "resolv-confs",
  runs: 100,
  input: fc.record({
    text: mutated([RESOLV_CONF], ["ndots:", "nameserver ", "search ", "options "]),
    name: fc.oneof(fc.domain(), anyText(20)),
  }),
  check({ text, name }) {
    const conf = parseResolvConf(text);
    assert.ok(conf.nameServers.length <= 3);
    assert.ok(conf.nameServers.every((address) => isIP(address) !== 0));
    assert.ok(conf.search.length <= 32);
    assert.ok(Number.isInteger(conf.ndots) && conf.ndots >= 0 && conf.ndots <= 15);
    const asked = expansionsOf(name, conf);
    assert.ok(asked.length >= 1 && asked.length <= 33);
    assert.equal(new Set(asked).size, asked.length);
    assert.ok(asked.includes(name.replace(/\.$/, "")));
  },
});

const ADDRESSES = [
  "localhost:50051",
  "127.0.0.1:50051",
  "[::1]:50051",
  "[fe80::1%eth0]:50051",
  "[::ffff:10.0.0.1]:50051",
  "dns:///orders.shop.svc.cluster.local:50051",
  "dns://10.96.0.10/orders:50051",
  "dns://[fd00::a]:53/orders:50051",
  "dns:orders:50051",
  "ipv4:10.0.0.1:443",
  "ipv6:[::1]:443",
  "unix:/tmp/app.sock",
  "unix:///tmp/app.sock",
  ":19464",
];

export const targetAddresses = defineProperty({
  name: "target-addresses",
  runs: 400,
  input: mutated(ADDRESSES, ["dns://", "unix:", "@", "]:", "65536", "0", "%25"], 3),
  check(text) {
    assertKind(text);
    const parsed = parseAddress(text);
    if ("value" in parsed) assertEndpoint(parsed.value);
    else assert.ok(parsed.allowed.length > 0);
    const listen = parseListen(text);
    if ("value" in listen) {
      const { host = "", port } = listen.value;
      assert.ok(port >= 0 && port <= 65_535);
      assert.ok(host === "" || host === "localhost" || isIP(host) !== 0);
    }
  },
});

function assertKind(text: string): void {
  const kind = hostKind(text);
  assert.equal(kind === "ipv4", isIPv4(text), text);
  assert.equal(kind === "ipv6", isIPv6(text), text);
}

function assertEndpoint(endpoint: Endpoint): void {
  // A host of this name has no text of its own: `unix:1` is a path.
  if (endpoint.kind === "name" && endpoint.host === "unix") return;
  const again = parseAddress(endpointText(endpoint));
  assert.ok("value" in again, `${endpointText(endpoint)} is no address`);
  if (endpoint.kind === "unix") return assert.deepEqual(again.value, endpoint);
  const { port, host } = endpoint;
  assert.ok(port >= 1 && port <= 65_535);
  assert.equal(isIP(host) !== 0, endpoint.kind === "ip");
  assert.ok(!/[\s/@]/.test(host), host);
  if (endpoint.kind === "name" && endpoint.nameServer !== undefined)
    assert.match(endpoint.nameServer, /^(?:[\d.]+|\[?[\da-fA-F:.%\w-]+\]?)(?::\d+)?$/);
  const { nameServer: _server, ...plain } = { nameServer: "", ...endpoint };
  assert.deepEqual(again.value, plain);
}

export const upstreamNames = defineProperty({
  name: "upstream-names",
  runs: 200,
  input: mutated(ADDRESSES, ["passthrough:///", "xds:///", "user:pw@"], 3),
  check(text) {
    const { name, scheme } = upstreamName(text);
    assert.equal(typeof name, "string");
    assert.ok((scheme ?? "").length <= text.length);
  },
});
