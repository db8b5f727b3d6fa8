import { expect, it } from "vitest";
import { loadSettings } from "../../src/config/load.ts";
import { printSettings } from "../../src/config/print.ts";
import { loadOptions } from "./load-file.ts";
import { RECORDS } from "./records.ts";

const TEXT = `listen: :19464
admin: 127.0.0.1:19465
log:
  level: info
  format: json
tracing:
  endpoint: http://otel:4317/
  ratio: 0.25
targets:
  - name: app
    role: app
    address: localhost:50051
    tls:
      ca: /ca.pem
    metadata:
      authorization:
        file: /token
        prefix: "Bearer "
    health:
      services:
        - ""
      expect: SERVING
    channelz: off
    startup: 10m
    findings:
      dns-stale:
        severity: info
        absent: 2m
      deadline-storm:
        ratio: 0.1
        size: 1MiB
      traffic-stopped: on
probes:
  - name: p
    target: app
    method: a.B/C
    request:
      - id: 1
      - id: 2
    cron: "*/5 * * * *"
    deadline: 1s
    connection: kept
    compression: identity
    expect:
      status: OK
      latency: 200ms
findings:
  config-rejected: off
ignore:
  - code: dns-stale
    reason: booked
    until: 2027-01-15T00:00:00.000Z
`;

it("prints a file that says the same, and reads what it prints", () => {
  const printed = printSettings(loadSettings(loadOptions(TEXT)), {
    detectors: RECORDS,
    withDefaults: false,
  });
  expect(printed).toBe(TEXT);
});

it("shows every code with its limits on demand", () => {
  const settings = loadSettings(loadOptions(TEXT));
  const printed = printSettings(settings, { detectors: RECORDS, withDefaults: true });
  expect(printed).toContain(
    "      deadline-storm:\n        hold: 30s\n        clearAfter: 1m\n        ratio: 0.1\n        calls: 20\n        size: 1MiB\n",
  );
  expect(loadSettings(loadOptions(printed)).findings["app"]).toEqual(settings.findings["app"]);
});

it("masks what may be a secret", () => {
  const text = `
tracing: { endpoint: "http://u:s3cret@otel:4317/?k=s3cret" }
webhook: { url: "https://hooks.example/services/T0/s3cret" }
targets:
  - name: app
    address: localhost:50051
    metadata: { authorization: "Bearer \${TOKEN}" }
    metrics: http://u:s3cret@localhost:9090/metrics?token=s3cret
probes: [{ name: p, target: app, method: a.B/C, metadata: { x-token: s3cret } }]
`;
  const printed = printSettings(loadSettings(loadOptions(text)), {
    detectors: RECORDS,
    withDefaults: true,
  });
  expect(printed).not.toContain("s3cret");
  expect(printed).toContain("https://hooks.example/masked");
});
