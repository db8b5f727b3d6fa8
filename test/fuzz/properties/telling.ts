import assert from "node:assert/strict";
import fc, { type Arbitrary } from "fast-check";
import { statusPage } from "../../../src/http/page/status-page.ts";
import type { Evidence, Finding, FindingChange } from "../../../src/model/finding.ts";
import type { Json } from "../../../src/model/json.ts";
import { createLogSink } from "../../../src/sinks/log.ts";
import {
  aProbeSpec,
  aReport,
  aRun,
  aTarget,
  someSettings,
  startSink,
} from "../../sinks/prometheus-values.ts";
import { aFinding } from "../../sinks/values.ts";
import {
  aServiceHealth,
  aSnapshot,
  aTargetSnapshot,
  known,
  someHealth,
} from "../../support/snapshot.ts";
import { anyHex, anyText } from "../mutation.ts";
import { defineProperty } from "../property.ts";
import { assertExposition } from "./exposition-grammar.ts";

/** Texts that grow when they are escaped, and long ones. */
const text = fc.oneof(
  anyText(80),
  fc
    .record({
      piece: fc.oneof(anyText(4), fc.constantFrom("\u0000", '"', "🦊", "ä", "\\")),
      times: fc.constantFrom(1, 100, 3000),
    })
    .map(({ piece, times }) => piece.repeat(times)),
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    text,
    fc.integer(),
    fc.boolean(),
    fc.array(tie("json"), { maxLength: 30 }),
    fc.dictionary(text, tie("json"), { maxKeys: 5, noNullPrototype: true }),
  ),
}));
const instant = fc.oneof(
  fc.constant(1_768_478_400_000),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
);

const finding = fc.record({
  target: text,
  subject: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
  summary: text,
  remedy: text,
  evidence: fc.dictionary(text, json, {
    maxKeys: 12,
    noNullPrototype: true,
  }) as Arbitrary<Evidence>,
  changed: fc.array(
    fc.record({ what: fc.constant("dns" as const), from: text, to: text, at: instant }),
    { maxLength: 20 },
  ),
  consequences: fc.array(text, { maxLength: 60 }),
  firstSeen: instant,
  traceId: anyHex(16),
});
const change = fc.record({
  finding,
  transition: fc.constantFrom("opened", "escalated", "reminded", "resolved", "suppressed"),
  because: text,
} as const);

function changeOf({
  finding: drawn,
  transition,
  because,
}: typeof change extends Arbitrary<infer T> ? T : never): FindingChange {
  return {
    transition,
    at: drawn.firstSeen,
    finding: aFinding(drawn),
    ...(transition === "suppressed" ? { because } : {}),
  };
}

/** The escape of a colour, as a terminal takes it. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`);

/** One line of at most 8 KiB that is JSON and says which finding it is, whatever the finding holds. */
export const findingLines = defineProperty({
  name: "finding-lines",
  runs: 30,
  input: change,
  check(drawn) {
    const lines: string[] = [];
    const stream = { write: (line: string) => void lines.push(line) };
    const told = { level: "debug", stream, event: () => undefined } as const;
    createLogSink({ ...told, format: "json" }).change?.(changeOf(drawn));
    const [line = "", ...others] = lines;
    assert.deepEqual(others, []);
    assert.ok(line.endsWith("\n") && !line.slice(0, -1).includes("\n"));
    assert.ok(Buffer.byteLength(line) <= 8192, `${Buffer.byteLength(line)} bytes`);
    const read = JSON.parse(line) as { readonly finding: Finding };
    assert.equal(read.finding.code, "tls-san-mismatch");
    createLogSink({ ...told, format: "text", colour: true }).change?.(changeOf(drawn));
    // Colours are ours; no other escape reaches the terminal.
    const shown = lines[1]?.split(COLOUR).join("").replaceAll("\n", "");
    assert.doesNotMatch(shown ?? "", /[\p{Cc}\p{Cf}]/u);
  },
});

/** The page holds every text as text: no element, attribute or script of a stranger. */
export const statusPages = defineProperty({
  name: "status-pages",
  runs: 15,
  input: fc.array(finding, { maxLength: 3 }),
  check(drawn) {
    const marked = drawn.map((one) => aFinding({ ...one, summary: `<i title="${one.summary}">` }));
    const pending = marked.map((one) => ({ ...one, activeInSeconds: 3 }));
    const { body } = statusPage(aReport({ active: marked, pending }), { agent: "1.0.0" });
    const tags = new Set(
      [...body.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag?.toLowerCase()),
    );
    for (const tag of ["i", "script", "img", "iframe", "a"].filter((one) => one !== "a"))
      assert.ok(!tags.has(tag), tag);
  },
});

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);

/** Whatever the configuration may call things, a scraper reads the text. */
export const metricNames = defineProperty({
  name: "metric-names",
  runs: 10,
  input: fc.record({
    target: name,
    probe: name,
    services: fc.uniqueArray(anyText(60), { maxLength: 5 }),
    code: anyText(20),
    file: anyText(20),
  }),
  async check({ target, probe, services, code, file }) {
    const { sink, world } = startSink();
    const health = { services, expect: "SERVING" } as const;
    world.settings = someSettings({
      targets: [aTarget({ name: target, health })],
      probes: [{ ...aProbeSpec(probe), target }],
    });
    const heard = someHealth({
      services: Object.fromEntries(services.map((service) => [service, aServiceHealth()])),
    });
    world.snapshot = aSnapshot({
      targets: { [target]: aTargetSnapshot({ facts: { health: known(heard) } }) },
    });
    world.report = aReport({ active: [aFinding({ target, code })] });
    sink.observe?.(aRun({ target, probe, outcome: "failed", traceId: code.slice(0, 32) }));
    sink.hear?.({ kind: "job-skipped", at: 0, job: `probe/${probe}`, target, why: "late" });
    sink.hear?.({ kind: "snapshot-written", at: 0, file });
    for (const [accept, format] of [
      [undefined, "text"],
      ["application/openmetrics-text", "openmetrics"],
    ] as const) {
      const { body } = await sink.render(accept);
      assertExposition(body, format);
      assert.ok(body.includes(`{target="${target}"`));
    }
  },
});
