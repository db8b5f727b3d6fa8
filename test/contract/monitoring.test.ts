import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { DETECTORS } from "../../src/detectors/index.ts";
import { DASHBOARD, ROWS } from "../../src/monitoring/dashboard.ts";
import { MONITORING } from "../../src/monitoring/documents.ts";
import { FAMILIES } from "../../src/sinks/prometheus/families/index.ts";

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Groups {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}

const plain = parse(read("deploy/monitoring-plain/rules.yaml")) as Groups;
const operator = parse(read("deploy/monitoring/prometheus-rule.yaml")) as { readonly spec: Groups };
const rules = plain.groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

it.each(Object.entries(MONITORING))("%s is generated from the typed rules", (file, { value }) => {
  expect(parse(read(file))).toEqual(value);
});

it("deploy/dashboard.json is generated from the typed panels", () => {
  expect(JSON.parse(read("deploy/dashboard.json"))).toEqual(DASHBOARD);
});

it("has the same rules with the operator and without", () => {
  expect(operator.spec).toEqual(plain);
});

it("reads only metrics that the agent has, and series that it records", () => {
  const recorded = rules.flatMap(({ record }) => (record === undefined ? [] : [record]));
  const known = new Set([...FAMILIES.map(({ name }) => name), ...recorded]);
  const panels = ROWS.flatMap((row) => row.panels.flatMap(({ queries }) => queries));
  const shown = panels.map(({ expr }) => expr.replaceAll("_bucket{", "{"));
  const texts = rules.flatMap(({ expr, annotations }) => [
    expr,
    ...Object.values(annotations ?? {}),
  ]);
  const read =
    [...texts, ...shown].join("\n").match(/[a-z_]*:?grpc_doctor_[a-z_]+(?::\w+)?/g) ?? [];
  expect(read.length).toBeGreaterThan(20);
  expect(read.filter((name) => !known.has(name))).toEqual([]);
});

it("lists no code, so that a new one needs no new rule", () => {
  const expressions = rules.map(({ expr }) => expr).join("\n");
  expect(DETECTORS.filter(({ code }) => expressions.includes(code))).toEqual([]);
});

it("has a summary, a description and a page for every alert", () => {
  const pages = alerts.map(({ annotations }) => annotations?.["runbook_url"] ?? "");
  const codes = DETECTORS.map(({ code }) => code);
  const headings = [...read("docs/monitoring.md").matchAll(/^## (\w+)$/gm)].map((match) =>
    (match[1] ?? "").toLowerCase(),
  );
  const written = [
    "{{ $labels.code }}.md",
    ...codes.map((code) => `${code}.md`),
    ...headings.map((heading) => `monitoring.md#${heading}`),
  ];
  expect(pages.filter((page) => !written.includes(page.split("/").at(-1) ?? ""))).toEqual([]);
  expect(alerts.map(({ annotations }) => Object.keys(annotations ?? {}))).toEqual(
    alerts.map(() => ["summary", "description", "runbook_url"]),
  );
});
