import type { FactName } from "../../../model/facts/index.ts";
import { severityRank } from "../../../model/finding.ts";
import type { TargetSnapshot } from "../../../model/snapshot.ts";
import { SOURCE_NAMES, type SourceName } from "../../../model/source-name.ts";
import { AGENT_TARGET } from "../../../model/target.ts";
import { type Family, type Labels, type Plan, PREFIX, seconds, targetNames } from "../family.ts";
import { fromTargets } from "../per-target.ts";

/** Codes that can speak on a target: switched on, and of the agent's layer on the agent alone. */
function enabledCodes({ settings, codes }: Plan, target: string): readonly string[] {
  return codes
    .filter(({ layer }) => (layer === "agent") === (target === AGENT_TARGET))
    .map(({ code }) => code)
    .filter((code) => settings.findings[target]?.[code]?.enabled === true);
}

function everyCode(plan: Plan): readonly Labels[] {
  return targetNames(plan).flatMap((target) =>
    enabledCodes(plan, target).map((code) => ({ target, code })),
  );
}

/** Facts that only this source can have made: one of them known, and the source can see. */
const MADE_BY: Readonly<Record<SourceName, readonly FactName[]>> = {
  health: ["health"],
  channelz: ["serverCalls", "sockets", "channels"],
  preflight: ["xray"],
  probe: ["probes"],
  dns: ["resolution"],
  kernel: ["listeners", "outbound"],
  metrics: ["appCalls"],
  files: ["servedFile"],
};

/** 1 or 0 as the source itself said; 1 when it delivers; `undefined` while nothing is heard of it. */
function availability(watched: TargetSnapshot, source: SourceName): number | undefined {
  const whole = watched.capabilities.find(
    (told) => told.source === source && told.part === undefined,
  );
  if (whole !== undefined) return whole.available ? 1 : 0;
  return MADE_BY[source].some((fact) => watched.facts[fact]?.state === "known") ? 1 : undefined;
}

export const FINDING_FAMILIES: readonly Family[] = [
  {
    name: `${PREFIX}finding_severity`,
    help: "The highest severity of the active findings of this code: 0 none, 1 info, 2 warning, 3 critical. Absent while the code cannot be judged.",
    type: "gauge",
    labels: ["target", "code"],
    inDefaultPod: ({ appCodes, agentCodes }) => appCodes + agentCodes,
    from: () => ({
      read(scrape) {
        const { active, unjudged } = scrape.report;
        const keyOf = (finding: { target: string; code: string }) =>
          `${finding.target}/${finding.code}`;
        const highest = new Map<string, number>();
        for (const finding of active) {
          const rank = 1 + severityRank(finding.severity);
          highest.set(keyOf(finding), Math.max(rank, highest.get(keyOf(finding)) ?? 0));
        }
        const unknown = new Set(unjudged.map(keyOf));
        return everyCode(scrape).flatMap((labels) => {
          const key = `${labels["target"]}/${labels["code"]}`;
          const severity = highest.get(key) ?? (unknown.has(key) ? undefined : 0);
          return severity === undefined ? [] : [{ labels, value: severity }];
        });
      },
    }),
  },
  {
    name: `${PREFIX}findings_total`,
    help: "Findings opened, by code.",
    type: "counter",
    labels: ["target", "code"],
    inDefaultPod: ({ appCodes, agentCodes }) => appCodes + agentCodes,
    from: () => ({
      starts: everyCode,
      change: ({ transition, finding: { target, code } }) =>
        transition === "opened" ? [{ labels: { target, code }, value: 1 }] : [],
    }),
  },
  {
    name: `${PREFIX}findings_unjudged`,
    help: "Codes that cannot be judged now: /findings says why, and what would make it possible.",
    type: "gauge",
    labels: ["target"],
    inDefaultPod: 2,
    from: () => ({
      read: (scrape) =>
        targetNames(scrape).map((target) => ({
          labels: { target },
          value: scrape.report.unjudged.filter((entry) => entry.target === target).length,
        })),
    }),
  },
  {
    name: `${PREFIX}source_available`,
    help: "1 if this source can see the target, 0 if it said that it cannot. Absent while nothing is heard of it.",
    type: "gauge",
    labels: ["target", "source"],
    inDefaultPod: 5,
    from: () => ({
      read: fromTargets((watched) =>
        SOURCE_NAMES.flatMap((source) => {
          const isAvailable = availability(watched, source);
          return isAvailable === undefined ? [] : [{ labels: { source }, value: isAvailable }];
        }),
      ),
    }),
  },
  {
    name: `${PREFIX}last_evaluation_timestamp_seconds`,
    help: "When the findings were last evaluated; it stands still when the agent does.",
    type: "gauge",
    unit: "seconds",
    labels: [],
    inDefaultPod: 1,
    from: () => ({
      read: ({ report }) => [{ labels: {}, value: seconds(report.generatedAt) }],
    }),
  },
];
