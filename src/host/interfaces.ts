import type { NetworkInterfaceInfo } from "node:os";

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

const LINK_LOCAL = /^(?:fe[89ab]|169\.254\.)/i;
const MAX_ADDRESSES = 40;

/** The addresses that others reach this network namespace by: neither loopback nor link-local. */
export function globalAddresses(interfaces: Interfaces): readonly string[] {
  return Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    .filter(({ internal, address }) => !internal && !LINK_LOCAL.test(address))
    .map(({ address }) => address)
    .sort()
    .slice(0, MAX_ADDRESSES);
}

/**
 * The address that a pod must have where nobody told it: the only global IPv4 address, without one the
 * only global IPv6 address. Undefined where there is a choice.
 */
export function onlyAddress(interfaces: Interfaces): string | undefined {
  const addresses = globalAddresses(interfaces);
  const ofIpv4 = addresses.filter((address) => !address.includes(":"));
  const candidates = ofIpv4.length > 0 ? ofIpv4 : addresses;
  return candidates.length === 1 ? candidates[0] : undefined;
}

/**
 * Names that the far ends of pods' links, bridges and overlays have on a node. A pod sees eth0, perhaps
 * net1 and a tunnel's placeholder, never these.
 */
const NODE_INTERFACE =
  /^(?:veth|cali|cni\d|cbr\d|lxc|cilium_|flannel|weave|vxlan|antrea-|ovn|ovs-|br-|docker|kube-|eni[0-9a-f]{8}|gke[0-9a-f]{8}|azv|nodelocaldns)/;

export function hasNodeInterface(interfaces: Interfaces): boolean {
  return Object.keys(interfaces).some((name) => NODE_INTERFACE.test(name));
}
