import { stringify } from "yaml";
import type { TlsExpectation } from "../model/target.ts";

/** What a server told of itself. */
export interface Discovered {
  readonly address: string;
  readonly authority?: string;
  readonly tls?: TlsExpectation;
  /** Names that health lists. */
  readonly services: readonly string[];
  readonly methods: readonly DiscoveredMethod[];
}

export interface DiscoveredMethod {
  /** `package.Service/Method`. */
  readonly name: string;
  readonly kind: "unary" | "server-streaming" | "client-streaming" | "bidi";
  /** Its declaration says `idempotency_level = NO_SIDE_EFFECTS`. */
  readonly hasNoSideEffects: boolean;
}

/** More probes than these are no start. */
const MOST_METHODS = 30;

/**
 * A configuration to start from. Probes are written as comments, and a method that may write is
 * marked: whoever switches one on has looked at it first.
 */
export function startingFile(found: Discovered): string {
  const { address, authority, tls, services, methods } = found;
  const target = {
    name: "app",
    address,
    ...(authority === undefined ? {} : { authority }),
    ...(tls === undefined ? {} : { tls: tlsValue(tls) }),
    health: { services: services.length === 0 ? [""] : services.slice(0, 10) },
  };
  const head = stringify({ targets: [target] }, { lineWidth: 100, defaultStringType: "PLAIN" });
  return [
    head.trimEnd(),
    ...(methods.length === 0
      ? []
      : ["", "# Remove the `#` of those that you want; WRITES? may change data.", "#probes:"]),
    ...methods.slice(0, MOST_METHODS).flatMap((method, index, all) => {
      const before = all.slice(0, index).map(wordsOf);
      const times = before.filter((words) => words === wordsOf(method)).length;
      return probeLines(method, times === 0 ? "" : `-${times + 1}`);
    }),
    "",
  ].join("\n");
}

function tlsValue(tls: TlsExpectation): unknown {
  if (tls.mode === "plaintext") return "off";
  const { mode: _mode, ...files } = tls;
  return Object.keys(files).length === 0 ? "on" : files;
}

/** `GetOrder` as `get-order`. */
function wordsOf({ name }: DiscoveredMethod): string {
  const [, short = name] = name.split("/");
  return short
    .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, "-")
    .toLowerCase()
    .slice(0, 50);
}

function probeLines(method: DiscoveredMethod, suffix: string): readonly string[] {
  const { name, kind, hasNoSideEffects } = method;
  const takesStream = kind === "client-streaming" || kind === "bidi";
  return [
    `#  - name: ${wordsOf(method)}${suffix}${hasNoSideEffects ? "" : " # WRITES?"}`,
    "#    target: app",
    `#    method: ${name} # ${kind}`,
    `#    request: ${takesStream ? "[{}]" : "{}"}`,
    "#    every: 30s",
  ];
}
