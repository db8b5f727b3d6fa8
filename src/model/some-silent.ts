import type { Facts } from "./facts/index.ts";
import { boundList } from "./subjects.ts";
import { hostOf, hostPort } from "./target.ts";

/** One address that leaves connects without an answer. */
interface SilentAddress {
  /** What it belongs to, as configured. */
  readonly remote: string;
  readonly address: string;
  readonly port?: number;
}

interface Seen {
  readonly expectation: Facts["expectation"];
  readonly xray: Facts["xray"] | undefined;
}

/**
 * What is to be said differently where only some addresses of a target are silent and others took our
 * own connects: it is no outage, and which are which has to be named. Empty where none took us.
 */
export function someSilent(silent: readonly SilentAddress[], { expectation, xray }: Seen) {
  const dials = xray?.latest.dials ?? [];
  const hosts = new Set(silent.map(({ address }) => address));
  const accepting = dials
    .filter(({ outcome, address }) => outcome === "connected" && !hosts.has(hostOf(address)))
    .map(({ address }) => address);
  const remote = silent[0]?.remote;
  if (remote !== expectation.address || accepting.length === 0) return {};
  const unanswering = new Set(
    silent.map(({ address, port }) => (port === undefined ? address : hostPort(address, port))),
  );
  const count = new Set([...unanswering, ...dials.map(({ address }) => address)]).size;
  const verb = unanswering.size === 1 ? "has" : "have";
  return {
    who: `${unanswering.size} of ${count} addresses of ${remote} ${verb}`,
    severity: "warning",
    addresses: {
      silentAddresses: boundList([...unanswering]),
      acceptingAddresses: boundList(accepting),
    },
  } as const;
}
