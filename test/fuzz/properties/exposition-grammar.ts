import assert from "node:assert/strict";

/**
 * The grammar of what a scraper accepts, written down a second time: the renderer's own rules are
 * not what it is judged by. Source: prometheus/docs exposition_formats.md; OpenMetrics 1.0, section 4.
 */
const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABELS = String.raw`\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*\}`;
const NUMBER = String.raw`(?:NaN|[+-]Inf|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)`;
const SAMPLE = new RegExp(String.raw`^(${NAME})(?:${LABELS})? ${NUMBER}$`, "u");
const WITH_EXEMPLAR = new RegExp(
  String.raw`^(${NAME})(?:${LABELS})? ${NUMBER}(?: # ${LABELS} ${NUMBER} ${NUMBER})?$`,
  "u",
);
const COMMENT = new RegExp(String.raw`^# (TYPE|HELP|UNIT) (${NAME})(?: ([^\n]*))?$`, "u");
const TYPES = ["counter", "gauge", "histogram", "info"];

/** Throws unless every line is one of a family that was declared right before it, and no series comes twice. */
export function assertExposition(text: string, format: "text" | "openmetrics"): void {
  if (text === "") return;
  assert.ok(text.endsWith("\n"), "the last line ends");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics") assert.equal(lines.pop(), "# EOF");
  const series = new Set<string>();
  let family = "";
  const declared = new Set<string>();
  for (const line of lines) {
    if (line.startsWith("#")) {
      const [, word, name = "", rest = ""] = COMMENT.exec(line) ?? assert.fail(`comment: ${line}`);
      if (word === "TYPE") {
        assert.ok(!declared.has(name), `declared twice: ${name}`);
        assert.ok(TYPES.includes(rest), line);
        declared.add(name);
        family = name;
      }
      assert.equal(name, family, line);
      continue;
    }
    const match = (format === "text" ? SAMPLE : WITH_EXEMPLAR).exec(line);
    assert.ok(match, `no sample: ${line}`);
    const suffix = (match[1] ?? "").slice(family.length);
    assert.ok(match[1]?.startsWith(family), `${line} is not of ${family}`);
    assert.ok(["", "_total", "_bucket", "_sum", "_count", "_info"].includes(suffix), line);
    const name = line.split(" # ")[0]?.replace(/ [^ ]+$/, "") ?? "";
    assert.ok(!series.has(name), `twice: ${name}`);
    series.add(name);
  }
}
