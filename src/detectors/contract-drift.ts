import type { ProbeHistory } from "../model/facts/probes.ts";
import type { Symptom } from "../model/finding.ts";
import { boundList, firstOfEachSubject } from "../model/subjects.ts";
import { defineDetector } from "./detector.ts";

/**
 * The descriptor set that a probe is given and the server do not agree on the wire.
 *
 * A field number that has another type, or numbers of another cardinality, is read as something else: an error at
 * best, a wrong value that nobody notices at worst. Names and added fields are no part of it. A method
 * that the server's reflection lacks is left to the call: reflection may list less than is served.
 *
 * Source: protobuf.dev, "Updating A Message Type"; grpc/grpc doc/server-reflection.md.
 */
export const contractDrift = defineDetector({
  code: "contract-drift",
  title: "A descriptor set and the server disagree on the wire",
  layer: "grpc",
  severity: "critical",
  remedy:
    "Bring the descriptor set and the server to one version, and the clients with them; never give a field number another type, but a new number.",
  lacks: "an answered run of such a probe, and server reflection that describes its method",
  holdMs: 0,
  clearAfterMs: 60_000,
  expects: {
    what: "`protoset` of a target or of a probe",
    isStated: ({ probes }) => probes.some(({ hasProtoset }) => hasProtoset === true),
  },
  limits: {},
  needs: ["probes"],

  detect({ probes }) {
    const histories = Object.entries(probes.probes);
    if (histories.every(([, { contract }]) => contract === undefined)) return undefined;
    const symptoms = histories.flatMap(([probe, history]) => symptomOf(probe, history));
    return firstOfEachSubject(symptoms.toSorted(criticalFirst));
  },
});

function symptomOf(probe: string, { method, contract, runs }: ProbeHistory): readonly Symptom[] {
  const [first, ...others] = contract?.differences ?? [];
  if (contract === undefined || first === undefined) return [];
  const last = runs.at(-1);
  const isBroken = last?.outcome === "failed";
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return [
    {
      subject: { method },
      severity: isBroken ? "critical" : "warning",
      witnesses: ["probe"],
      isDeterministic: true,
      summary: `${method} is not what the descriptor set of probe ${probe} says: ${first}${more}`,
      evidence: {
        differences: boundList(contract.differences),
        checkedTypes: contract.checkedTypes,
      },
      ...(isBroken && { traceId: last.traceId, spanId: last.spanId }),
    },
  ];
}

function criticalFirst(a: Symptom, b: Symptom): number {
  return Number(b.severity === "critical") - Number(a.severity === "critical");
}
