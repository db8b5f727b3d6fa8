/** A channel's target, as far as it names an upstream: `name:port`, and a scheme that balances. */
export interface UpstreamName {
  /** Lower case, without scheme, name server and trailing dot; an IPv6 address in brackets. */
  readonly name: string;
  /** Of a target that another party resolves and balances: `xds`. */
  readonly scheme?: string;
}

/** Schemes by which the client itself resolves and dials. */
const PLAIN_SCHEMES: ReadonlySet<string> = new Set([
  "dns",
  "passthrough",
  "ipv4",
  "ipv6",
  "unix",
  "unix-abstract",
  "http",
  "https",
]);
const DEFAULT_PORT = 443;

/**
 * The upstream that a channel's target names: `dns:///Orders.shop.svc.:50051` and `orders.shop.svc:50051`
 * are one.
 *
 * Source: gRPC name syntax (grpc/grpc doc/naming.md); a name without port means 443.
 */
export function upstreamName(target: string): UpstreamName {
  const { scheme, rest } = split(target);
  if (scheme.startsWith("unix")) return { name: `${scheme}:${rest}` };
  const name = withPort(rest.toLowerCase());
  return PLAIN_SCHEMES.has(scheme) ? { name } : { name, scheme };
}

function split(target: string): { readonly scheme: string; readonly rest: string } {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(target) ?? [];
  const isPort = /^\d*$/.test(rest);
  if (scheme === "" || isPort) return { scheme: "dns", rest: target };
  const known = scheme.toLowerCase();
  // `//name-server/name`, and the single slash that some callers leave.
  const path = rest.startsWith("//") ? rest.slice(2).replace(/^[^/]*\/?/, "") : rest;
  const isAddressed = rest.startsWith("//") && path === "";
  const plain = isAddressed ? rest.slice(2) : path;
  return { scheme: known, rest: known.startsWith("unix") ? plain : plain.replace(/^\//, "") };
}

function withPort(text: string): string {
  const [, bracketed, bracketedPort] = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return `[${bracketed}]:${bracketedPort ?? DEFAULT_PORT}`;
  const colons = text.split(":").length - 1;
  if (colons > 1) return `[${text}]:${DEFAULT_PORT}`;
  const [host = "", port = String(DEFAULT_PORT)] = text.split(":");
  return `${host.replace(/\.$/, "")}:${port}`;
}

/** The address in `ip:port`, without brackets and IPv4's mapping; the text itself if it is none. */
export function addressOf(text: string): string {
  const host = text.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return host.replace(/^::ffff:(?=\d+\.)/i, "");
}
