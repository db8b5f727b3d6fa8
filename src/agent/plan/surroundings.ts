import type { Job } from "../../model/job.ts";
import { knownValue } from "../../model/snapshot.ts";
import type { Need } from "../plan.ts";
import { every } from "./cadence.ts";

const DNS_MS = 30_000;
const DNS_MISSING_MS = 5_000;
/** An address that has been away for so long is gone: it is looked for at the usual pace again. */
const MISSING_FOR_MS = 600_000;
const METRICS_MS = 15_000;
const FILES_MS = 60_000;

/** The name of the target, asked of the pod's own resolver; literal addresses and sockets are not. */
export function planDns(need: Need): readonly Job[] {
  const { endpoint, name } = need.target;
  if (endpoint.kind !== "name" || endpoint.host === "localhost") return [];
  const interval = isAddressMissing(need) ? DNS_MISSING_MS : DNS_MS;
  return [
    {
      key: `dns/${name}`,
      source: "dns",
      label: "dns",
      target: name,
      cadence: every(interval),
      deadlineMs: Math.min(10_000, interval),
      name: endpoint.host,
      ...(endpoint.nameServer === undefined ? {} : { nameServer: endpoint.nameServer }),
    },
  ];
}

function isAddressMissing({ known, now }: Need): boolean {
  const resolution = knownValue(known, "resolution");
  if (resolution === undefined) return false;
  const isRecent = (at: number) => now - at < MISSING_FOR_MS;
  return (
    resolution.failing !== undefined ||
    Object.values(resolution.seen).some((seen) => seen.missed > 0 && isRecent(seen.at))
  );
}

/** The app's own Prometheus endpoint, where one is configured. */
export function planMetrics({ target }: Need): readonly Job[] {
  if (target.metrics === undefined) return [];
  return [
    {
      key: `metrics/${target.name}`,
      source: "metrics",
      label: "metrics",
      target: target.name,
      cadence: every(METRICS_MS),
      deadlineMs: 10_000,
      url: target.metrics,
    },
  ];
}

/** The certificate file that the server reads, where it is mounted here too. */
export function planFiles({ target }: Need): readonly Job[] {
  const servedFrom = target.tls?.mode === "tls" ? target.tls.servedFrom : undefined;
  if (servedFrom === undefined) return [];
  return [
    {
      key: `files/${target.name}`,
      source: "files",
      label: "files",
      target: target.name,
      cadence: every(FILES_MS),
      deadlineMs: 5_000,
      certificate: servedFrom,
    },
  ];
}
