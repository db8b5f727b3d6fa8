import type { Listeners } from "../model/facts/listeners.ts";
import { isConfirmedRun, type Reach, type ReachRun } from "../model/facts/reach.ts";
import type { Evidence, Severity, Symptom } from "../model/finding.ts";
import type { Json } from "../model/json.ts";
import { present } from "../model/present.ts";
import { mayComeYet, patienceFor } from "../model/startup.ts";
import { boundList } from "../model/subjects.ts";
import { hostOf, isLoopback } from "../model/target.ts";
import type { DialAttempt } from "../model/xray.ts";
import { defineDetector, type View } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";
import { dnsStale } from "./dns-stale.ts";
import { loopbackOnly } from "./loopback-only.ts";

/** Some addresses of an upstream may refuse for so long: a replica restarts. */
const SOME_MS = 30_000;
/** The pod has no such address at all: `::1` where IPv6 is off. Nobody could listen there. */
const NO_SUCH_ADDRESS: ReadonlySet<string | undefined> = new Set([
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "ENETUNREACH",
]);

type Cause = "never-listened" | "gone" | "other-port" | "filtered" | "refused";
type Seen = View<"expectation" | "reach" | "xray", "listeners", never>;

/**
 * Nothing accepts connections on the target's port.
 *
 * A refused connect is the kernel's own word: no socket listens there, or a firewall answers in its
 * place. Which of them it is, the LISTEN rows of the shared network namespace tell. A sidecar starts
 * before its app, so a port that never listened is only waited for; a port that did is missed at once.
 *
 * Source: RFC 9293 section 3.10.7.1 (a reset answers a SYN to a closed port).
 */
export const connectionRefused = defineDetector({
  code: "connection-refused",
  title: "Nothing accepts connections on the target's port",
  layer: "listen",
  severity: "critical",
  remedy:
    "Start the server, or make its port and the target's address agree; the evidence lists the ports that do listen. If it went away, read the app's last log lines and exit code.",
  needs: ["expectation", "reach", "xray"],
  uses: ["listeners"],
  causes: [dnsFailing, dnsStale, loopbackOnly],
  explainedBy: ({ code, evidence: cause }, { refusedAddresses }) => {
    const explained =
      code === dnsStale.code ? stringsOf(cause["staleAddresses"]) : [cause["podAddress"]];
    const isExplained = (address: string) => explained.includes(hostOf(address));
    return code === dnsFailing.code || stringsOf(refusedAddresses).every(isExplained);
  },
  lacks:
    "the same refusal twice on every address, for longer than a restart takes, in the network that the app listens in",
  holdMs: 0,
  clearAfterMs: 60_000,
  whileWaiting: true,
  limits: {
    restart: {
      unit: "ms",
      default: 5000,
      min: 1000,
      max: 600_000,
      says: "how long a port that has listened may refuse: a restart",
    },
  },

  detect(view, { restart }) {
    const dials = view.xray.latest.dials.filter(({ errno }) => !NO_SUCH_ADDRESS.has(errno));
    if (dials.length === 0) return undefined;
    return view.expectation.role === "upstream" || isLookedAround(view, dials)
      ? judgeUpstream(view, dials)
      : judgeApp(view, dials, restart);
  },
});

/** One look at a name of several addresses: each of them is a replica, whatever the role. */
function isLookedAround({ expectation, xray }: Seen, dials: readonly DialAttempt[]): boolean {
  const isSeveral = expectation.startupMs === 0 && (xray.latest.addressCount ?? 1) > 1;
  return isSeveral && dials.some(({ outcome }) => outcome === "connected");
}

type Judgement = readonly Symptom[] | undefined;
type Verdict = Severity | "silent" | "unjudged";

function judgeApp(view: Seen, dials: readonly DialAttempt[], restart: number): Judgement {
  const { reach } = view;
  // The kernel's rows are of TCP: they say nothing of who listens on a unix socket.
  const listeners = view.expectation.host.kind === "unix" ? undefined : view.listeners;
  if (dials.some(({ outcome }) => outcome === "connected")) return [];
  const refused = dials.filter(isRefusal);
  const runs = confirmedRuns(reach, refused);
  if (runs.length < dials.length || hasBegunSince(listeners, view.xray)) return undefined;

  const verdict = reach.everListened
    ? missed(runs, restart)
    : awaited(view, isElsewhere(listeners, refused));
  if (verdict === "unjudged") return undefined;
  return verdict === "silent" ? [] : [appSymptom({ ...view, listeners }, dials, verdict)];
}

/** The server began to listen after it was last tried: the next try tells. */
function hasBegunSince(listeners: Listeners | undefined, { latest }: Seen["xray"]): boolean {
  return listeners !== undefined && listeners.rows.length > 0 && listeners.since > latest.at;
}

function appSymptom(
  { expectation, reach, listeners, now }: Seen,
  dials: readonly DialAttempt[],
  severity: Severity,
): Symptom {
  const cause = causeOf(reach, listeners, dials);
  const waitedSeconds = (now - reach.firstTriedAt) / 1000;
  return {
    subject: { address: expectation.address },
    severity,
    witnesses: listeners === undefined ? ["preflight"] : ["preflight", "kernel"],
    isDeterministic: true,
    summary: `${expectation.address} refuses connections: ${CAUSES[cause]}`,
    evidence: present({
      cause,
      everListened: reach.everListened,
      ...evidenceOf(reach, dials),
      waitedSeconds: reach.everListened ? undefined : waitedSeconds,
      listening: listeners && named(listeners.listening),
    }),
  };
}

/** As many as evidence holds; the last says how many more there are. */
function named(listening: readonly string[]): readonly string[] {
  const kept = boundList(listening);
  const omitted = listening.length - kept.length;
  return omitted === 0 ? kept : [...kept.slice(0, -1), `and ${omitted + 1} more`];
}

/** A port that has listened: a restart is granted, no more. */
function missed(runs: readonly ReachRun[], restart: number): Verdict {
  return runs.every((run) => run.lastAt - run.since >= restart) ? "critical" : "unjudged";
}

/** A port that never listened: it is waited for, patiently, if time to start is granted at all. */
function awaited({ expectation, reach, now }: Seen, isElsewhere: boolean): Verdict {
  if (expectation.startupMs === 0) return "critical";
  if (isElsewhere) return "unjudged";
  const waitedMs = now - reach.firstTriedAt;
  return patienceFor({ waitedMs, startupMs: expectation.startupMs }) ?? "warning";
}

function judgeUpstream(
  { expectation, reach, now }: Seen,
  dials: readonly DialAttempt[],
): Judgement {
  const refused = dials.filter(isRefusal);
  const accepting = dials.filter(({ outcome }) => outcome === "connected");
  if (refused.length === 0) return accepting.length > 0 ? [] : undefined;
  if (isOneFamily(dials, accepting)) return [];

  const isAll = refused.length === dials.length;
  const runs = confirmedRuns(reach, refused);
  const isSeen = isAll && runs.length === refused.length;
  const brief = isAll ? undefined : someBriefly(runs, expectation);
  if (!isSeen && brief === undefined) return undefined;
  const who = isAll
    ? `${expectation.address} refuses`
    : `${refused.length} of ${dials.length} addresses of ${expectation.address} refuse`;
  return [
    {
      subject: { address: expectation.address },
      severity: isAll ? severityOfAll({ expectation, reach, now }) : "warning",
      ...brief,
      witnesses: ["preflight"],
      isDeterministic: true,
      summary: `${who} connections: ${CAUSES.refused}`,
      evidence: { cause: "refused", everListened: reach.everListened, ...evidenceOf(reach, dials) },
    },
  ];
}

/** Some refuse: for long enough, or in one look, which knows no later, suspected; else undefined. */
function someBriefly(
  runs: readonly ReachRun[],
  { startupMs }: Seen["expectation"],
): Pick<Symptom, "isSuspicion" | "holdMs"> | undefined {
  if (runs.some((run) => run.lastAt - run.since >= SOME_MS)) return {};
  return runs.length > 0 && startupMs === 0 ? { isSuspicion: true, holdMs: SOME_MS } : undefined;
}

/** Of an upstream that refuses everywhere; one that never listened may come yet. */
function severityOfAll({
  expectation: { startupMs },
  reach: { everListened, firstTriedAt },
  now,
}: Pick<Seen, "expectation" | "reach" | "now">): Severity {
  const isNew = !everListened && mayComeYet({ waitedMs: now - firstTriedAt, startupMs });
  return isNew ? "info" : "critical";
}

const CAUSES: Readonly<Record<Cause, string>> = {
  "never-listened": "nothing has listened there yet",
  gone: "nothing listens there any more",
  "other-port": "nothing has listened there yet, but the pod listens on other ports",
  filtered: "a server listens there, so something in between refuses in its place",
  refused: "nothing listens on that address and port",
};

function causeOf(
  { everListened }: Reach,
  listeners: Listeners | undefined,
  refused: readonly DialAttempt[],
): Cause {
  const { rows = [], listening = [] } = listeners ?? {};
  if (refused.some(({ address }) => rows.some((row) => covers(row.address, hostOf(address)))))
    return "filtered";
  if (rows.length > 0) return "refused";
  if (everListened) return "gone";
  return listening.length > 0 ? "other-port" : "never-listened";
}

/** Whether a LISTEN row accepts for an address; a `[::]` row takes IPv4 too. */
function covers(listening: string, address: string): boolean {
  if (listening === "0.0.0.0") return !address.includes(":");
  return listening === "::" || listening === address;
}

function isRefusal({ outcome }: DialAttempt): boolean {
  return outcome === "refused";
}

function confirmedRuns(reach: Reach, refused: readonly DialAttempt[]): readonly ReachRun[] {
  return refused
    .map(({ address }) => reach.runs[address])
    .filter((run) => run !== undefined)
    .filter(isConfirmedRun);
}

/** Our loopback is not the app's: no row but our own exists in this network namespace. */
function isElsewhere(listeners: Listeners | undefined, refused: readonly DialAttempt[]): boolean {
  return (
    listeners?.sharesNetwork === false && refused.some(({ address }) => isLoopback(hostOf(address)))
  );
}

/** All that fails is of one family and the other connects: `address-family-mismatch` says so. */
function isOneFamily(dials: readonly DialAttempt[], accepting: readonly DialAttempt[]): boolean {
  const failing = dials.filter(({ outcome }) => outcome !== "connected");
  const families = new Set(failing.map(({ family }) => family));
  return (
    accepting.length > 0 &&
    families.size === 1 &&
    !accepting.some((dial) => families.has(dial.family))
  );
}

function evidenceOf(reach: Reach, dials: readonly DialAttempt[]): Evidence {
  const refused = dials.filter(isRefusal);
  const accepting = dials.filter(({ outcome }) => outcome === "connected");
  const addresses = (of: readonly DialAttempt[]) => boundList(of.map(({ address }) => address));
  return present({
    errno: refused[0]?.errno,
    attempts: Math.max(...confirmedRuns(reach, refused).map(({ count }) => count)),
    dialled: addresses(dials),
    refusedAddresses: addresses(refused),
    acceptingAddresses: accepting.length === 0 ? undefined : addresses(accepting),
  });
}

function stringsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
