/** What the kernel says where loopback has no IPv4 address: of a bind, and of a connect. */
const NO_IPV4 = new Set<unknown>(["EADDRNOTAVAIL", "ENETUNREACH"]);

/**
 * The IPv6 loopback address in place of `host`, where that is 127.0.0.1 and binding or dialling it
 * failed because the network has no such address; else `undefined`.
 */
export function ipv6LoopbackFor(host: string | undefined, thrown: unknown): "::1" | undefined {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return host === "127.0.0.1" && NO_IPV4.has(code) ? "::1" : undefined;
}
