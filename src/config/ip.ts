/** What a host's text is. `not-ipv4`: dotted numbers that are no address, hence no name either. */
export type HostKind = "ipv4" | "ipv6" | "name" | "not-ipv4" | "bad";

/**
 * Tells addresses from names without a look-up. A name follows RFC 1123, with the underscore that
 * Kubernetes and SRV names use; a zone (`%eth0`) may follow an IPv6 address.
 */
export function hostKind(host: string): HostKind {
  if (isIpv6(host)) return "ipv6";
  if (/^[\d.]+$/.test(host)) return isIpv4(host) ? "ipv4" : "not-ipv4";
  const labels = (host.endsWith(".") ? host.slice(0, -1) : host).split(".");
  const isName = host.length <= 254 && labels.every((label) => NAME_LABEL.test(label));
  return isName ? "name" : "bad";
}

/** Addresses that only this pod reaches. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIpv4(host) && host.startsWith("127."));
}

const NAME_LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

function isIpv4(text: string): boolean {
  const octets = text.split(".");
  return (
    octets.length === 4 &&
    octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255)
  );
}

/** The URL parser of the platform knows RFC 4291 section 2.2; only the zone is not its. */
function isIpv6(text: string): boolean {
  const [, address] = /^([0-9A-Fa-f:.]{2,45})(?:%[\dA-Za-z.:-]+)?$/.exec(text) ?? [];
  return address !== undefined && address.includes(":") && URL.canParse(`http://[${address}]/`);
}
