import type { ListenAddress } from "../model/settings.ts";
import type { Endpoint } from "../model/target.ts";
import { hostKind } from "./ip.ts";

/** A parsed text, or what would have been allowed in its place. */
export type Parsed<T> = { readonly value: T } | { readonly allowed: string };

const FORMS =
  "host:port, [ipv6]:port, dns:///name:port, dns://name-server-ip/name:port or unix:/path";

/**
 * A target's address as gRPC names targets, with one difference: the port must be written, since a
 * silent 443 is the commonest way to watch the wrong thing.
 *
 * Source: grpc/grpc doc/naming.md.
 */
export function parseAddress(text: string): Parsed<Endpoint> {
  if (text.startsWith("unix:")) return parseUnix(text);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "dns") return parseDns(text.slice("dns://".length));
  if (scheme !== undefined) return { allowed: `${FORMS}; gRPC addresses have no ${scheme}://` };
  return parseFamily(text);
}

/** `host:port`, with or without the word that says what it is. */
function parseFamily(text: string): Parsed<Endpoint> {
  const [, family = "dns", rest] = /^(dns|ipv4|ipv6):(\[.*|[^:]+:.*)$/.exec(text) ?? [];
  const parsed = parseHostPort(rest ?? text);
  const isOther = "value" in parsed && !isOfFamily(parsed.value, family);
  return isOther ? { allowed: `${family}: before an address of that family` } : parsed;
}

/** `dns:` may stand before either; an address is none of the other family. */
function isOfFamily(endpoint: Endpoint, family: string): boolean {
  if (family === "dns") return true;
  return endpoint.kind === "ip" && hostKind(endpoint.host) === family;
}

/** `:19464` (all addresses), `127.0.0.1:19465`, `[::1]:19465`. Port 0 lets the kernel choose. */
export function parseListen(text: string): Parsed<ListenAddress> {
  const forms = ":port, ipv4:port, [ipv6]:port or localhost:port, with a port up to 65535";
  const { host, port } = splitHostPort(text);
  const number = parsePort(port ?? "");
  if (host === undefined || number === undefined) return { allowed: forms };
  if (host === "") return { value: { port: number } };
  const isBindable = host === "localhost" || ["ipv4", "ipv6"].includes(hostKind(host));
  return isBindable ? { value: { host, port: number } } : { allowed: forms };
}

function parseUnix(text: string): Parsed<Endpoint> {
  const path = text.replace(/^unix:(?:\/\/(?=\/))?/, "");
  if (path === "" || path.startsWith("//")) return { allowed: "unix:/path or unix:///path" };
  // sun_path holds 108 bytes with its final zero.
  if (path.length > 107) return { allowed: "unix:/path with a path of at most 107 bytes" };
  return { value: { kind: "unix", path } };
}

function parseDns(rest: string): Parsed<Endpoint> {
  const slash = rest.indexOf("/");
  if (slash < 0)
    return { allowed: "dns:///name:port (three slashes) or dns://name-server-ip/name:port" };
  const nameServer = rest.slice(0, slash);
  const parsed = parseHostPort(rest.slice(slash + 1));
  if (nameServer === "" || "allowed" in parsed) return parsed;
  if (!isNameServer(nameServer)) {
    return {
      allowed: "dns://name-server-ip/name:port with an IP address, as 10.96.0.10 or [fd00::a]:53",
    };
  }
  return parsed.value.kind === "name" ? { value: { ...parsed.value, nameServer } } : parsed;
}

function isNameServer(text: string): boolean {
  const { host, port } =
    text.includes("]:") || /^[\d.]+:\d+$/.test(text)
      ? splitHostPort(text)
      : { host: text.replace(/^\[(.*)\]$/, "$1"), port: "53" };
  return ["ipv4", "ipv6"].includes(hostKind(host ?? "")) && parsePort(port ?? "") !== undefined;
}

function parseHostPort(text: string): Parsed<Endpoint> {
  const { host, port } = splitHostPort(text);
  if (host === undefined || port === undefined) return { allowed: missingPort(text) };
  const number = parsePort(port);
  if (number === undefined || number === 0) return { allowed: "a port from 1 to 65535" };
  const kind = hostKind(host);
  if (kind === "name") return { value: { kind: "name", host, port: number } };
  if (kind === "ipv4" || kind === "ipv6") return { value: { kind: "ip", host, port: number } };
  if (kind === "not-ipv4") return { allowed: "an IPv4 address of four numbers up to 255" };
  return { allowed: FORMS };
}

/** Splits at the port's colon. An IPv6 address without brackets has no port that could be told. */
function splitHostPort(text: string): { readonly host?: string; readonly port?: string } {
  const [, inBrackets, bare, port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text) ?? [];
  if (port === undefined) return {};
  if (inBrackets !== undefined)
    return hostKind(inBrackets) === "ipv6" ? { host: inBrackets, port } : {};
  return { host: bare ?? "", port };
}

function missingPort(text: string): string {
  if (hostKind(text) === "ipv6")
    return `[${text}]:port (IPv6 stands in brackets, and the port is needed)`;
  const kind = hostKind(text);
  const isLone = kind === "name" || kind === "ipv4" || /^\[[^\]]+\]$/.test(text);
  return isLone ? `${text}:port (the port is needed)` : FORMS;
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}
