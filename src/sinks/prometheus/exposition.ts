import type { Point } from "./accumulator.ts";
import type { Family, Labels } from "./family.ts";

/** `text`: Prometheus text 0.0.4. `openmetrics`: OpenMetrics 1.0, with exemplars and units. */
export type Format = "text" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** A family with its points; one without points is left out, never half told. */
export interface Told {
  readonly family: Family;
  readonly points: readonly Point[];
}

/** The whole exposition. */
export function exposition(told: readonly Told[], format: Format): string {
  const texts = told
    .filter(({ points }) => points.length > 0)
    .map((one) => familyText(one, format));
  return format === "openmetrics" ? `${texts.join("")}# EOF\n` : texts.join("");
}

/**
 * One family. Text calls a family as its samples are called, and knows neither info nor unit;
 * OpenMetrics leaves `_total` and `_info` to the samples. Source: OpenMetrics 1.0, "MetricFamily".
 */
function familyText({ family, points }: Told, format: Format): string {
  const isOpen = format === "openmetrics";
  const base = isOpen ? family.name.replace(/_(?:total|info)$/, "") : family.name;
  const type = !isOpen && family.type === "info" ? "gauge" : family.type;
  const head = [
    `# TYPE ${base} ${type}`,
    ...(isOpen && family.unit !== undefined ? [`# UNIT ${base} ${family.unit}`] : []),
    `# HELP ${base} ${escapeHelp(family.help, isOpen)}`,
  ];
  const lines = points.map((point) => {
    const sample = `${family.name}${point.suffix}${labelsText(point.labels)} ${numberText(point.value)}`;
    return isOpen ? sample + exemplarText(point) : sample;
  });
  return `${[...head, ...lines].join("\n")}\n`;
}

function exemplarText({ exemplar, suffix }: Point): string {
  if (exemplar === undefined || suffix === "_sum" || suffix === "_count") return "";
  const { labels, value, timestamp } = exemplar;
  return ` # ${labelsText(labels)} ${numberText(value)} ${numberText(timestamp)}`;
}

function labelsText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, label]) => `${name}="${escapeLabel(label)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function escapeLabel(label: string): string {
  return label.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(help: string, isOpen: boolean): string {
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return isOpen ? escaped.replaceAll('"', '\\"') : escaped;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
