import { FAMILY_GROUPS } from "./families/index.ts";
import type { DefaultPod, Family } from "./family.ts";
import { LABEL_WORDS } from "./label-words.ts";

/** The codes that are on by default: on an app, and on the agent itself. */
export const DEFAULT_POD: DefaultPod = { appCodes: 42, agentCodes: 3 };

/** What a default pod may cost in series, and what no pod exceeds (design: Metrics). */
export const DEFAULT_POD_BUDGET = 300;
const HARD_CAP = 1000;

/** Series of one family in the default pod. */
export function defaultSeries(family: Family, pod: DefaultPod): number {
  const { inDefaultPod } = family;
  return typeof inDefaultPod === "number" ? inDefaultPod : inDefaultPod(pod);
}

/** The sum over all families. */
export function defaultPodSeries(pod: DefaultPod = DEFAULT_POD): number {
  return FAMILY_GROUPS.flatMap(({ families }) => families).reduce(
    (all, family) => all + defaultSeries(family, pod),
    0,
  );
}

/** docs/metrics.md, made of the list of families; a test compares it with the committed file. */
export function metricsDocument(pod: DefaultPod = DEFAULT_POD): string {
  return `${[HEAD, ...FAMILY_GROUPS.map((group) => groupText(group, pod)), labelsText(), arithmetic(pod)].join("\n\n")}\n`;
}

const HEAD = `# Metrics

\`/metrics\` on the \`listen\` address speaks Prometheus text 0.0.4 and OpenMetrics 1.0, by the scraper's
\`Accept\` header; OpenMetrics has exemplars: the trace of the probe run behind a bucket or a failure.
Units are base units. Labels come from the configuration and from closed sets: never an address, a
socket, an error text or a name that nobody configured. The scraper adds pod and namespace. A series
whose value is not known is absent, never 0; a counter that the configuration foresees starts at 0;
the series of a target or probe that is removed by a reload end.

This page is generated from \`src/sinks/prometheus/families\` (\`npm run generate\`).`;

function groupText(
  { title, families }: { readonly title: string; readonly families: readonly Family[] },
  pod: DefaultPod,
): string {
  const rows = families.map((family) => {
    const labels = family.labels.map((label) => `\`${label}\``).join(", ");
    const notes = [
      family.help,
      family.buckets === undefined ? "" : `Buckets: ${family.buckets.join(", ")}.`,
      family.exemplars === true ? "Has exemplars." : "",
    ];
    const cells = [
      `\`${family.name}\``,
      family.type,
      labels === "" ? "–" : labels,
      String(defaultSeries(family, pod)),
      notes.filter((note) => note !== "").join(" "),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `## ${title}`,
    "",
    "| metric | type | labels | series | what it says |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function labelsText(): string {
  const parts = LABEL_WORDS.map(({ label, says, values }) => {
    const rows = values.map(([value, words]) => `| \`${value}\` | ${words} |`);
    const table = rows.length === 0 ? [] : ["", "| value | means |", "|---|---|", ...rows];
    return [`### ${label}`, "", says, ...table].join("\n");
  });
  const intro =
    "Names of targets, probes, services and ports come from the configuration. The others can say this:";
  return ["## What the labels say", intro, ...parts].join("\n\n");
}

function arithmetic(pod: DefaultPod): string {
  const { appCodes, agentCodes } = pod;
  return `## How many series

The column *series* counts the default pod: one target, no probe, no upstream, every source seen,
${appCodes} codes on for the app and ${agentCodes} for the agent. A histogram counts its buckets, the infinite one, sum and
count. The sum is **${defaultPodSeries(pod)}**, within a budget of ${DEFAULT_POD_BUDGET}. Each probe adds ${perProbe()}, its
histogram included, and one for each further status and reason that it meets. No pod exceeds **${HARD_CAP}**: counters that do not
fit are folded into one series whose labels are \`other\`, gauges are left out from the end of this
page upwards, and \`grpc_doctor_series_dropped_total\` counts both.`;
}

function perProbe(): number {
  return FAMILY_GROUPS.flatMap(({ families }) => families).reduce(
    (all, family) => all + (family.perProbe ?? 0),
    0,
  );
}
