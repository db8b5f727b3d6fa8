import type { NetworkInterfaceInfo } from "node:os";
import { expect, it } from "vitest";
import { globalAddresses, hasNodeInterface } from "../../src/host/interfaces.ts";

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

it.each(["lo", "eth0", "net1", "tunl0", "ens5", "gre0"])("takes %s for a pod's", (name) => {
  expect(hasNodeInterface({ [name]: [] })).toBe(false);
});

it.each(["veth3a", "cali9f", "cni0", "docker0", "flannel.1", "lxc_health", "cilium_host", "br-5c"])(
  "takes %s for a node's",
  (name) => {
    expect(hasNodeInterface({ lo: [], [name]: [] })).toBe(true);
  },
);
