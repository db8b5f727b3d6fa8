/** What every rule groups by: one workload of one cluster. Labels that nobody sets are absent, and do no harm. */
export const WORKLOAD = ["cluster", "namespace", "workload"] as const;

/** The letters and digits of which Kubernetes makes the ends of names (apimachinery, util/rand). */
const RANDOM = "[bcdfghjklmnpqrstvwxz2456789]";

/**
 * A pod's name as the name of its workload and what Kubernetes put behind it: a Deployment's hash, a
 * CronJob's minute, five characters of chance, or a StatefulSet's number. A pod of its own is its
 * own workload.
 */
const POD_NAME = `(.+?)(?:(?:-(?:${RANDOM}{6,10}|[0-9]{8,10}))?-${RANDOM}{5}|-[0-9]+)?`;

/**
 * Gives series their `workload`, from nothing but the label `pod` that every way of scraping sets:
 * neither the owner's name from relabelling nor kube-state-metrics is needed.
 */
export function withWorkload(series: string): string {
  return `label_replace(${series}, "workload", "$1", "pod", "${POD_NAME}")`;
}

/** `max by (…) (…)`: the labels of the workload, and those named. */
export function byWorkload(
  aggregate: "max" | "min" | "avg" | "count",
  labels: readonly string[],
  series: string,
): string {
  return `${aggregate} by (${[...WORKLOAD, ...labels].join(", ")}) (${series})`;
}
