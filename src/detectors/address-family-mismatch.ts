import type { Facts } from "../model/facts/index.ts";
import type { Listeners } from "../model/facts/listeners.ts";
import type { Reach, ReachRun } from "../model/facts/reach.ts";
import type { Surroundings } from "../model/facts/surroundings.ts";
import type { Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { boundList } from "../model/subjects.ts";
import { isLoopback } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import type { DialAttempt } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";

type Family = "ipv4" | "ipv6";
type Judgement = readonly Symptom[] | undefined;

const OTHER: Readonly<Record<Family, Family>> = { ipv4: "ipv6", ipv6: "ipv4" };
const WORDS: Readonly<Record<Family, string>> = { ipv4: "IPv4", ipv6: "IPv6" };
/** So long an address must fail, and so long rows of one family must have stood. */
const LASTING_MS = 60_000;

/**
 * One address family of a name does not lead to the server, and the other does.
 *
 * A server that listens on `0.0.0.0` behind a name with AAAA records takes some clients and not others:
 * grpc-java and C-core try addresses in turn and lose time, a client with an IPv6 preference and no
 * fallback never gets there. A family that this pod has no address of proves nothing.
 *
 * Source: RFC 8305; gRFC A61 (Happy Eyeballs in pick_first).
 */
export const addressFamilyMismatch = defineDetector({
  code: "address-family-mismatch",
  title: "Only one of two address families leads to the server",
  layer: "listen",
  severity: "warning",
  remedy: "Listen on `[::]` (dual-stack), or publish only the family that is served.",
  needs: ["expectation", "surroundings"],
  uses: ["reach", "xray", "listeners"],
  needsAny: ["xray", "listeners"],
  causes: [dnsFailing],
  lacks: "addresses of both families in this pod, and connects to both over a minute",
  holdMs: 0,
  clearAfterMs: 120_000,
  limits: {
    attempts: {
      unit: "count",
      default: 3,
      min: 2,
      max: 40,
      says: "Connects in a row that failed to each address of one family, while the other connected",
    },
  },

  detect({ expectation, surroundings, now, ...seen }, { attempts }) {
    if (surroundings.mesh || !hasBoth(surroundings)) return undefined;
    if (expectation.role === "app") return judgeOwnPort(seen.listeners, surroundings, now);
    const { kind, name } = expectation.host;
    // `localhost` has two addresses by definition, and many servers listen on one of them.
    return kind === "name" && name !== "localhost" ? judgeUpstream(seen, attempts) : [];
  },
});

function hasBoth({ podAddresses }: Surroundings): boolean {
  return (
    podAddresses.some((ip) => ip.includes(":")) && podAddresses.some((ip) => !ip.includes(":"))
  );
}

function judgeUpstream(
  { reach, xray }: { readonly [K in "reach" | "xray"]: Facts[K] | undefined },
  attempts: number,
): Judgement {
  const dials = xray?.latest.dials ?? [];
  if (reach === undefined || dials.length === 0) return undefined;
  const failing = (["ipv4", "ipv6"] as const).find((family) => alone(dials, family));
  if (failing === undefined) return [];
  const symptom = symptomOf(failing, { reach, dials, attempts });
  return symptom === undefined ? undefined : [symptom];
}

/** Every address of this family refuses or is silent, and each of the other one takes us. */
function alone(dials: readonly DialAttempt[], family: Family): boolean {
  const here = dials.filter((dial) => dial.family === family);
  const there = dials.filter((dial) => dial.family === OTHER[family]);
  const isLost = ({ outcome }: DialAttempt) => outcome === "refused" || outcome === "timeout";
  const isTaken = ({ outcome }: DialAttempt) => outcome === "connected";
  return here.length > 0 && there.length > 0 && here.every(isLost) && there.every(isTaken);
}

interface Tried {
  readonly reach: Reach;
  readonly dials: readonly DialAttempt[];
  readonly attempts: number;
}

function symptomOf(family: Family, { reach, dials, attempts }: Tried): Symptom | undefined {
  const runs = dials.map((dial) => reach.runs[dial.address]);
  if (!runs.every((run) => isLasting(run, attempts))) return undefined;
  const here = dials.filter((dial) => dial.family === family);
  const there = dials.find((dial) => dial.family === OTHER[family]);
  const known = here.map(({ address }) => reach.runs[address]).filter((run) => run !== undefined);
  return {
    subject: { family },
    witnesses: ["preflight", "dns"],
    isDeterministic: true,
    summary: `${WORDS[family]} does not lead to the server, and ${WORDS[OTHER[family]]} does: ${here[0]?.address} ${here[0]?.outcome === "refused" ? "refuses" : "does not answer"}`,
    evidence: present({
      addresses: boundList(here.map(({ address }) => address)),
      errno: here[0]?.errno,
      attempts: Math.min(...known.map(({ count }) => count)),
      otherFamilyConnectMs: there?.connectMs,
    }),
    beganAt: Math.min(...known.map(({ since }) => since)),
  };
}

function isLasting(run: ReachRun | undefined, attempts: number): boolean {
  return run !== undefined && run.count >= attempts && run.lastAt - run.since >= LASTING_MS;
}

/** A `[::]` row takes IPv4 as well; rows of loopback alone are another code's. */
function judgeOwnPort(
  listeners: Listeners | undefined,
  { hostNetwork, podAddresses }: Surroundings,
  now: Instant,
): Judgement {
  if (listeners === undefined || hostNetwork) return undefined;
  const rows = listeners.rows.map(({ address }) => address);
  if (rows.length === 0 || now - listeners.since < LASTING_MS) return undefined;
  if (rows.includes("::") || rows.every(isLoopback)) return [];
  const families = new Set(rows.filter((row) => !isLoopback(row)).map(familyOf));
  const missing = (["ipv4", "ipv6"] as const).find((family) => !families.has(family));
  if (missing === undefined) return [];
  return [
    {
      subject: { family: missing },
      severity: "info",
      witnesses: ["kernel"],
      summary: `The pod has ${WORDS[missing]} addresses, and the server listens on ${WORDS[OTHER[missing]]} only`,
      evidence: {
        addresses: boundList(podAddresses.filter((ip) => familyOf(ip) === missing)),
        listening: boundList(rows),
      },
      beganAt: listeners.since,
    },
  ];
}

function familyOf(address: string): Family {
  return address.includes(":") ? "ipv6" : "ipv4";
}
