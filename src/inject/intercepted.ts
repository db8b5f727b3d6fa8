/**
 * Annotations by which a mesh leaves inbound ports alone: a scrape must not need the mesh's
 * certificate. Each holds ports and ranges, with commas between them.
 */
export const EXCLUDED_PORTS = [
  "traffic.sidecar.istio.io/excludeInboundPorts",
  "config.linkerd.io/skip-inbound-ports",
] as const;

/** The annotation's text with the port in it; what is there stays. */
export function withPort(text: string | undefined, port: number): string {
  const there = (text ?? "").trim();
  if (there === "") return `${port}`;
  return entries(there).some((entry) => covers(entry, port)) ? there : `${there},${port}`;
}

/** The annotation's text without the port; empty when nothing is left. */
export function withoutPort(text: string, port: number): string {
  const left = entries(text).filter((entry) => entry !== `${port}`);
  return left.length === entries(text).length ? text : left.join(",");
}

function entries(text: string): readonly string[] {
  return text.split(",").map((entry) => entry.trim());
}

function covers(entry: string, port: number): boolean {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(entry) ?? [];
  return entry === "*" || (Number(from) <= port && port <= Number(to));
}
