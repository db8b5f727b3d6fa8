import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { ConfigError, faultText } from "../../../src/config/fault.ts";
import { type LoadOptions, loadSettings } from "../../../src/config/load.ts";
import { printSettings } from "../../../src/config/print.ts";
import { DETECTORS } from "../../../src/detectors/index.ts";
import { expressionFault } from "../../../src/grpc/expect.ts";
import type { Settings } from "../../../src/model/settings.ts";
import { anyText, mutated } from "../mutation.ts";
import { defineProperty, ROOT } from "../property.ts";

const EXAMPLE = readFileSync(`${ROOT}config.example.yaml`, "utf8");
const SHORT = `targets:
  - name: app
    address: localhost:50051
    tls: { ca: /ca.pem }
    metadata: { authorization: "Bearer \${TOKEN}", x: { file: /token } }
probes:
  - &probe
    name: get-order
    target: app
    method: order.OrderService/GetOrder
    request: { id: order-123 }
    every: 30s
    deadline: 500ms
    expect: { status: OK, latency: 200ms, that: ['response.price > 0.0'] }
findings: { deadline-storm: { ratio: 0.05, severity: critical }, l4-pinning: off }
ignore: [{ code: tls-cert-expiring, until: 2027-01-15, reason: booked }]
webhook: { url: "http://user:pw@hooks/x?y=z" }
`;
const WORDS = [
  "- ",
  "? ",
  ": ",
  "&a ",
  "*a",
  "*probe",
  "<<: *probe",
  "!!str ",
  "!tag ",
  "|",
  ">-",
  "---\n",
  "...\n",
  "%YAML 1.2\n",
  "${TOKEN}",
  "${",
  "$${",
  "${NONE:-}",
  "off",
  "null",
  "~",
  "0x1F",
  "1e3",
  ".inf",
  "targets:",
  "  name: app\n",
  "address",
  "[[[[",
  "{a: {a: {a: ",
  "2027-02-30",
  "order.OrderService/",
  "unix:/x",
  "\t",
];

/** In the environment, and nowhere in a file: nothing that is told of a file may hold it. */
const SECRET = "s3cret-of-the-environment";

const surroundings: Omit<LoadOptions, "text"> = {
  file: "grpc-doctor.yaml",
  environment: { TOKEN: SECRET, TENANT: "blue" },
  fileExists: (path) => !path.includes("missing"),
  readFile: () => '{ "id": "from-file" }',
  detectors: DETECTORS,
  celFault: expressionFault,
};

function load(text: string): Settings | ConfigError {
  try {
    return loadSettings({ ...surroundings, text });
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown;
    throw thrown;
  }
}

/** Settings, or faults that a person can find in the file and that show no secret. */
function assertLoads(text: string): void {
  const loaded = load(text);
  if (!(loaded instanceof ConfigError)) return assertPrints(loaded);
  const lines = text.split(/\r\n|\n|\r/);
  assert.ok(loaded.faults.length >= 1 && loaded.faults.length <= 100);
  for (const fault of loaded.faults) {
    assert.ok(fault.line >= 1 && fault.line <= lines.length, faultText(fault));
    assert.ok(fault.column >= 1 && fault.column <= text.length + 1, faultText(fault));
    assert.ok(!faultText(fault).includes(SECRET), faultText(fault));
    assert.ok(faultText(fault).length <= 4096, `${faultText(fault).length} characters`);
    assert.doesNotMatch(faultText(fault), /[\p{Cc}\u2028\u2029]/u);
  }
}

/** What is printed of settings is a file that says the same, but for the secrets. */
function assertPrints(settings: Settings): void {
  const options = { detectors: DETECTORS, withDefaults: true };
  const printed = printSettings(settings, options);
  const again = load(printed);
  assert.ok(!(again instanceof ConfigError), printed);
  assert.equal(printSettings(again, options), printed);
}

export const configFiles = defineProperty({
  name: "config-files",
  runs: 12,
  input: fc.oneof(
    { weight: 4, arbitrary: mutated([SHORT], WORDS, 4) },
    { weight: 2, arbitrary: mutated([EXAMPLE], WORDS, 4) },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.oneof(fc.constantFrom(...WORDS), anyText(12)), { maxLength: 30 })
        .map((parts) => parts.join("")),
    },
  ),
  check: assertLoads,
});

/** Keys that the schema knows, and some that it does not. */
const key = fc.oneof(
  fc.constantFrom(
    "listen",
    "admin",
    "log",
    "tracing",
    "webhook",
    "targets",
    "probes",
    "findings",
    "ignore",
    "name",
    "address",
    "tls",
    "metadata",
    "health",
    "services",
    "request",
    "expect",
    "that",
    "every",
    "cron",
    "deadline",
    "target",
    "method",
    "file",
    "dns-stale",
    "hold",
  ),
  anyText(10),
);
const scalar = fc.oneof(
  fc.constantFrom(
    "app",
    "10s",
    "localhost:50051",
    "off",
    "order.O/Get",
    "http://x/",
    "critical",
    "2027-01-15",
  ),
  anyText(20),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", maxDepth: 8 },
    scalar,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

/** JSON is YAML: any tree of values, well-formed, and mostly not what the schema wants. */
export const configTrees = defineProperty({
  name: "config-trees",
  runs: 12,
  input: tree,
  check: (value) => assertLoads(JSON.stringify(value)),
});
