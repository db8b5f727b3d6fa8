import { createHash } from "node:crypto";
import type { Finding, FindingsReport } from "../../model/finding.ts";
import type { Json } from "../../model/json.ts";
import { pendingWait } from "../../model/pending-wait.ts";
import { silencedText } from "../../model/silenced-text.ts";
import { rfc3339 } from "../../model/time.ts";
import type { Reply } from "../reply.ts";
import { type Html, html, trusted } from "./html.ts";
import { STYLE } from "./style.ts";

/** Who tells: the agent's version, and its pod where that is known. */
export interface PageIdentity {
  readonly agent: string;
  readonly pod?: string;
}

/** The page asks for itself again; no script is needed, and none could run. */
const REFRESH_SECONDS = 5;

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The status page: one self-contained document, readable without style, script or network. */
export function statusPage(report: FindingsReport, identity: PageIdentity): Reply {
  const { active, pending, suppressed, recent } = report;
  const worst = active.some(({ severity }) => severity === "critical") ? "critical" : "warning";
  const title =
    active.length === 0
      ? "nothing found"
      : `${active.length} active finding${active.length === 1 ? "" : "s"}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
<title>grpc-doctor: ${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<header>
<h1>grpc-doctor</h1>
<p>${identity.pod ?? "this pod"} &middot; version ${identity.agent} &middot; ${rfc3339(report.generatedAt)}</p>
<p class="verdict ${active.length === 0 ? "well" : worst}">${title}</p>
</header>
<main>
${section("Active", active.map(activeCard))}
${section(
  "Pending",
  pending.map((finding) => row(finding, pendingWait(finding))),
)}
${section(
  "Silenced by their cause",
  suppressed.map((finding) => row(finding, silencedText(finding.because))),
)}
${section(
  "Resolved lately",
  recent.map((finding) => row(finding, `resolved ${rfc3339(finding.resolvedAt)}`)),
)}
${targets(report)}
${blindSpots(report)}
</main>
<footer><a href="/findings">findings as JSON</a> <a href="/snapshot">snapshot</a></footer>
</body>
</html>
`;
  return {
    status: 200,
    contentType: "text/html; charset=utf-8",
    body: page.markup,
    headers: { "content-security-policy": POLICY, "referrer-policy": "no-referrer" },
  };
}

function section(title: string, entries: readonly Html[]): Html {
  return entries.length === 0 ? html`` : html`<section><h2>${title}</h2>${entries}</section>\n`;
}

function activeCard(finding: Finding): Html {
  const { code, severity, target, summary, remedy, docs, evidence, consequences } = finding;
  const facts = Object.entries(evidence).map(
    ([key, value]) => html`<dt>${key}</dt><dd>${valueText(value)}</dd>`,
  );
  const changes = finding.changed.map(
    ({ what, from, to }) => html`<dt>${what} changed</dt><dd>${from} &rarr; ${to}</dd>`,
  );
  const silences =
    consequences.length === 0 ? html`` : html`<p>It explains: ${consequences.join(", ")}</p>`;
  return html`<article class="${severity}">
<h3><span class="severity">${severity}</span> ${code} <span class="about">on ${target}${subjectText(finding)}</span></h3>
${finding.isDrill === true ? html`<p>This is a drill: it is not true.</p>` : html``}
<p class="summary">${summary}</p>
<p class="remedy">${remedy} <a href="${docs}" rel="noreferrer">More</a></p>
<dl>${facts}${changes}</dl>${silences}
<p class="times">since ${rfc3339(finding.firstSeen)}, seen ${finding.count} times</p>
</article>
`;
}

function row(finding: Finding, note: string): Html {
  return html`<p><b>${finding.code}</b> on ${finding.target}${subjectText(finding)}: ${finding.summary} (${note})</p>\n`;
}

function targets(report: FindingsReport): Html {
  const rows = report.targets.map(
    ({ name, state, epoch }) => html`<tr><td>${name}</td><td>${state}</td><td>${epoch}</td></tr>`,
  );
  return html`<section><h2>Watched</h2>
<table><tr><th>target</th><th>state</th><th>life</th></tr>${rows}</table></section>
`;
}

/** What cannot be judged, and what would make it possible: as important as what was found. */
function blindSpots({ unjudged, capabilities }: FindingsReport): Html {
  const missing = capabilities
    .filter(({ available }) => !available)
    .map(
      ({ target, source, part, reason = "", fix = "" }) =>
        html`<tr><td>${target}</td><td>${part ?? source}</td><td>${reason}</td><td>${fix}</td></tr>`,
    );
  const codes = unjudged.map(
    ({ target, code, because, fix = "" }) =>
      html`<tr><td>${target}</td><td>${code}</td><td>${because}</td><td>${fix}</td></tr>`,
  );
  if (missing.length + codes.length === 0) return html``;
  return html`<section><h2>Not judged</h2><details><summary>${unjudged.length} codes</summary>
<table><tr><th>target</th><th>what</th><th>why</th><th>to switch it on</th></tr>${missing}${codes}</table></details></section>
`;
}

function subjectText({ subject }: Finding): string {
  const names = Object.values(subject).filter((name) => name !== "");
  return names.length === 0 ? "" : ` (${names.join(", ")})`;
}

function valueText(value: Json): string {
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
