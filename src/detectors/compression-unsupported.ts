import type { ProbeRun } from "../model/facts/probes.ts";
import { isSeenTooBriefly, neededInRow, runsInRow } from "../model/failed-runs.ts";
import type { Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { refusedEncoding } from "../model/refused-encoding.ts";
import { firstOfEachSubject } from "../model/subjects.ts";
import { defineDetector } from "./detector.ts";
import { WIRE } from "./root-causes.ts";

/**
 * The server cannot decode what a probe compresses as the clients do.
 *
 * A codec is a matter of what was linked or registered: Go has gzip only where `encoding/gzip` is
 * imported, tonic only where `accept_compressed` names it. The answer is UNIMPLEMENTED, which reads as
 * a missing method; the text names the encoding. It convicts by itself: a server that lacked the
 * method would not look at the encoding, and does not name it.
 *
 * Source: grpc/grpc doc/compression.md.
 */
export const compressionUnsupported = defineDetector({
  code: "compression-unsupported",
  title: "The server cannot decode the compression that is used",
  layer: "grpc",
  severity: "critical",
  remedy:
    "Register the codec or send identity. Go: import `encoding/gzip`; Java: `DecompressorRegistry`; tonic: `accept_compressed`; grpc-js: `grpc.default_compression_algorithm` on the sender.",
  lacks: "a run of the probe after one that failed so, or one that passed before",
  holdMs: 0,
  clearAfterMs: 120_000,
  expects: {
    what: "`compression` of a probe",
    isStated: ({ probes }) => probes.some(({ compression }) => compression !== undefined),
  },
  limits: {
    failures: {
      unit: "count",
      default: 2,
      min: 1,
      max: 20,
      says: "Refusals in a row (1 of a probe that runs every 5 min or less often)",
    },
  },
  needs: ["probes"],
  causes: [...WIRE],

  detect({ probes }, { failures }) {
    const symptoms = Object.values(probes.probes).flatMap((history) => {
      const refused = runsInRow(history, isRefused);
      if (refused.length < neededInRow(history, failures)) return [];
      return symptomOf(history.method, refused);
    });
    const isUnsure = Object.values(probes.probes).some((history) =>
      isSeenTooBriefly(history, isRefused, neededInRow(history, failures)),
    );
    return symptoms.length === 0 && isUnsure ? undefined : firstOfEachSubject(symptoms);
  },
});

function isRefused(run: ProbeRun): boolean {
  return run.outcome === "failed" && refusedEncoding(run) !== undefined;
}

function symptomOf(method: string, refused: readonly ProbeRun[]): readonly Symptom[] {
  const [first, last] = [refused[0], refused.at(-1)];
  const encoding = last && refusedEncoding(last);
  if (first === undefined || last === undefined || encoding === undefined) return [];
  const { status, statusText, traceId, spanId } = last;
  return [
    {
      subject: { method },
      witnesses: ["probe"],
      isDeterministic: true,
      summary: `${method} is refused when its request is compressed with ${encoding}: the server has no such codec`,
      evidence: present({ encoding, status, statusText, direction: "request" }),
      beganAt: first.at,
      traceId,
      spanId,
    },
  ];
}
