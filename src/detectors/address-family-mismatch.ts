import type { Reach, ReachRun } from "../model/facts/reach.ts";
import type { Surroundings } from "../model/facts/surroundings.ts";
import type { Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { boundList } from "../model/subjects.ts";
import type { DialAttempt } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";

type Family = "ipv4" | "ipv6";

const OTHER: Readonly<Record<Family, Family>> = { ipv4: "ipv6", ipv6: "ipv4" };
const WORDS: Readonly<Record<Family, string>> = { ipv4: "IPv4", ipv6: "IPv6" };
/** So long an address must fail. */
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
  needs: ["expectation", "surroundings", "reach", "xray"],
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

  detect({ expectation, surroundings, reach, xray }, { attempts }) {
    const { kind, name } = expectation.host;
    // Nobody has said that the app's own port is meant for both; `localhost` is by definition, and many
    // servers listen on one of its addresses.
    if (expectation.role === "app" || kind !== "name" || name === "localhost") return [];
    if (surroundings.mesh || !hasBoth(surroundings)) return undefined;
    const { dials } = xray.latest;
    const failing = (["ipv4", "ipv6"] as const).find((family) => alone(dials, family));
    if (failing === undefined) return dials.length === 0 ? undefined : [];
    const symptom = symptomOf(failing, { reach, dials, attempts });
    return symptom === undefined ? undefined : [symptom];
  },
});

function hasBoth({ podAddresses }: Surroundings): boolean {
  return (
    podAddresses.some((ip) => ip.includes(":")) && podAddresses.some((ip) => !ip.includes(":"))
  );
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
