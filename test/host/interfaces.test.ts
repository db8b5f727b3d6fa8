import type { NetworkInterfaceInfo } from "node:os";
import { expect, it } from "vitest";
import { globalAddresses, hasNodeInterface, onlyAddress } from "../../src/host/interfaces.ts";

const info = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  internal,
  netmask: "255.255.255.0",
  family: "IPv4",
  mac: "00:00:00:00:00:00",
  cidr: null,
});

it("takes the addresses that others reach us by", () => {
  const interfaces = {
    lo: [info("127.0.0.1", true), info("::1", true)],
    eth0: [info("fe80::1"), info("10.1.0.5"), info("fd00::5"), info("169.254.1.1")],
  };
  expect(globalAddresses(interfaces)).toEqual(["10.1.0.5", "fd00::5"]);
});

it.each([
  ["no address", [], undefined],
  ["one of IPv4", ["10.1.0.5"], "10.1.0.5"],
  ["one of each family", ["fd00::5", "10.1.0.5"], "10.1.0.5"],
  ["IPv6 only", ["fd00::5"], "fd00::5"],
  ["a choice", ["10.1.0.5", "10.2.0.5"], undefined],
  ["a choice of IPv6", ["fd00::5", "fd00::6"], undefined],
])("knows the only address of a pod that has %s", (_what, addresses, only) => {
  expect(onlyAddress({ eth0: addresses.map((address) => info(address)) })).toBe(only);
});

it.each(["lo", "eth0", "net1", "tunl0", "ens5", "gre0"])("takes %s for a pod's", (name) => {
  expect(hasNodeInterface({ [name]: [] })).toBe(false);
});

it.each(["veth3a", "cali9f", "cni0", "docker0", "flannel.1", "lxc_health", "cilium_host", "br-5c"])(
  "takes %s for a node's",
  (name) => {
    expect(hasNodeInterface({ lo: [], [name]: [] })).toBe(true);
  },
);
