import type { ProbeHistory, ProbeRun } from "../model/facts/probes.ts";
import type { Services } from "../model/facts/services.ts";
import { isSeenTooBriefly, neededInRow, runsInRow, timesText } from "../model/failed-runs.ts";
import type { Symptom } from "../model/finding.ts";
import { nearest } from "../model/nearest.ts";
import { present } from "../model/present.ts";
import { refusedEncoding } from "../model/refused-encoding.ts";
import { firstOfEachSubject } from "../model/subjects.ts";
import { defineDetector } from "./detector.ts";
import { notGrpc } from "./not-grpc.ts";

/**
 * What clients call UNIMPLEMENTED though the server did not: a response without a message, and HTTP 404,
 * to which a gateway's route leads. Source: grpc/grpc doc/http-grpc-status-mapping.md.
 */
const NOT_THE_SERVERS = /No message received|HTTP status code:? 404/i;

/**
 * The server does not have the method that a configured probe calls.
 *
 * It is another version than the caller thinks, or the package was renamed, or a service was never
 * registered. Every call of that method fails in the same way, at once, and no retry helps. Only a
 * method that somebody configured is judged: clients feel for what a server has (CSI, image services,
 * reflection v1 before v1alpha), and to them UNIMPLEMENTED is a good answer.
 *
 * Source: grpc/grpc doc/statuscodes.md.
 */
export const unimplementedCalls = defineDetector({
  code: "unimplemented-calls",
  title: "The server does not implement a method that is called",
  layer: "grpc",
  severity: "critical",
  remedy:
    "Deploy the version that has the method, or correct the route or the package name; the text tells service from method.",
  lacks: "a run of the probe after one that failed so, or one that passed before",
  holdMs: 0,
  clearAfterMs: 120_000,
  expects: {
    what: "a probe of the target",
    isStated: ({ probes }) => probes.length > 0,
  },
  limits: {
    failures: {
      unit: "count",
      default: 2,
      min: 1,
      max: 20,
      says: "Answers in a row (1 of a probe that runs every 5 min or less often)",
    },
  },
  needs: ["probes"],
  uses: ["services"],
  causes: [notGrpc],

  detect({ probes, services }, { failures }) {
    const symptoms = Object.entries(probes.probes).flatMap(([probe, history]) => {
      const refused = runsInRow(history, isUnimplemented);
      const needed = neededInRow(history, failures);
      return refused.length < needed ? [] : symptomOf({ probe, history, services }, refused);
    });
    const isUnsure = Object.values(probes.probes).some((history) =>
      isSeenTooBriefly(history, isUnimplemented, neededInRow(history, failures)),
    );
    return symptoms.length === 0 && isUnsure ? undefined : firstOfEachSubject(symptoms);
  },
});

/** The server's own word about the method: neither about an encoding, nor made up on the way. */
function isUnimplemented(run: ProbeRun): boolean {
  const { outcome, status, statusText = "" } = run;
  if (outcome !== "failed" || status !== "UNIMPLEMENTED") return false;
  return refusedEncoding(run) === undefined && !NOT_THE_SERVERS.test(statusText);
}

interface Asked {
  readonly probe: string;
  readonly history: ProbeHistory;
  readonly services: Services | undefined;
}

function symptomOf(
  { probe, history, services }: Asked,
  refused: readonly ProbeRun[],
): readonly Symptom[] {
  const [first, last] = [refused[0], refused.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { method, runs } = history;
  return [
    {
      subject: { method },
      witnesses: ["probe"],
      isDeterministic: true,
      summary: `${method} is not implemented: probe ${probe} was told so ${timesText(history, refused)}`,
      evidence: present({
        unimplemented: refused.length,
        calls: runs.length,
        counted: "probe",
        statusText: last.statusText,
        nearest: nearestOf(method, services),
      }),
      beganAt: first.at,
      traceId: last.traceId,
      spanId: last.spanId,
    },
  ];
}

/** The one that was probably meant, of those that reflection describes; none if it is among them. */
function nearestOf(method: string, services: Services | undefined): string | undefined {
  const served = services?.methods?.map(({ name }) => name) ?? [];
  return served.includes(method) ? undefined : nearest(method, served);
}
