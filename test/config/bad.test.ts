import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { SURROUNDINGS } from "./bad-surroundings.ts";
import { faultsOf } from "./load-file.ts";

/** One mistake per file (`many-at-once` apart), and the exact message: `line:column: path: …`. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  "a-list-at-the-top": ["1:1: (file): found a list, allowed: a mapping"],
  "address-bad-ipv4": [
    "3:14: targets[0].address: found 10.0.0.256:50051, allowed: an IPv4 address of four numbers up to 255",
  ],
  "address-ipv6-without-brackets": [
    "3:14: targets[0].address: found ::1, allowed: [::1]:port (IPv6 stands in brackets, and the port is needed)",
  ],
  "address-named-name-server": [
    "3:14: targets[0].address: found dns://kube-dns/orders:50051, allowed: dns://name-server-ip/name:port with an IP address, as 10.96.0.10 or [fd00::a]:53",
  ],
  "address-port-too-high": [
    "3:14: targets[0].address: found localhost:70000, allowed: a port from 1 to 65535",
  ],
  "address-two-slashes": [
    "3:14: targets[0].address: found dns://orders.shop.svc:50051, allowed: dns:///name:port (three slashes) or dns://name-server-ip/name:port",
  ],
  "address-with-http": [
    "3:14: targets[0].address: found http://localhost:50051, allowed: host:port, [ipv6]:port, dns:///name:port, dns://name-server-ip/name:port or unix:/path; gRPC addresses have no http://",
  ],
  "address-without-port": [
    "3:14: targets[0].address: found localhost, allowed: localhost:port (the port is needed)",
  ],
  "admin-open-without-token": [
    "1:8: admin: found 0.0.0.0:19465, allowed: an address on loopback, or an adminToken beside it",
  ],
  "agent-code-on-a-target": [
    "4:17: targets[0].findings.config-rejected: found an unknown key, allowed: dns-stale, deadline-storm, traffic-stopped",
  ],
  "alias-bomb": ["1:14: (file): found more values, aliases followed, allowed: 20000 values"],
  "alias-in-itself": [
    "1:14: targets[0]: found *t, which names nothing before it, allowed: an anchor that stands before its alias",
  ],
  "alias-to-nothing": [
    "4:10: targets[0].tls: found *certs, which names nothing before it, allowed: an anchor that stands before its alias",
  ],
  "authority-with-scheme": [
    "4:16: targets[0].authority: found https://orders.shop.svc, allowed: a host name, with or without :port",
  ],
  "bad-cel": [
    '10:11: probes[0].expect.that[0]: found "response.price >" (1:17: unexpected end), allowed: a CEL expression that is true or false',
  ],
  "cert-without-key": ["4:10: targets[0].tls: found cert alone, allowed: cert and key together"],
  "clear-after-too-short": [
    "5:28: findings.dns-stale.clearAfter: found 10s, allowed: a duration from 1m to 1d, such as 1m",
  ],
  "code-neither-on-nor-off": [
    "5:14: findings.dns-stale: found maybe, allowed: on, off or a mapping of its settings",
  ],
  "count-with-fraction": [
    "5:28: findings.deadline-storm.calls: found 1.5, allowed: a whole number from 1 to 10000",
  ],
  "cron-minute-out-of-range": [
    '8:11: probes[0].cron: found "61 * * * *", allowed: a minute from 0 to 59: n, n-m, *, */step or a list of them',
  ],
  "cron-never-comes": [
    '8:11: probes[0].cron: found "0 0 30 2 *", allowed: a day that one of the months has: 30 February never comes',
  ],
  "cron-six-fields": [
    '8:11: probes[0].cron: found "0 */5 * * * *", allowed: five fields: minute hour day-of-month month day-of-week, such as */5 * * * *',
  ],
  "deadline-longer-than-cron": [
    "9:15: probes[0].deadline: found 61s, longer than the interval, allowed: at most 1m",
  ],
  "deadline-longer-than-interval": [
    "9:15: probes[0].deadline: found 11s, longer than the interval, allowed: at most 10s",
  ],
  "duplicate-key": [
    "5:5: targets[0].role: found the key a second time, allowed: it once; it stands at 4:5",
  ],
  "duplicate-probe-name": [
    "8:11: probes[1].name: found get-order, allowed: a name of its own; probes[0] has it",
  ],
  "duplicate-target-name": [
    "4:11: targets[1].name: found app, allowed: a name of its own; targets[0] has it",
    "8:13: probes[0].target: found ap, allowed: app (did you mean app?)",
  ],
  "duration-bad-unit": [
    "4:24: targets[0].channelz.every: found 10sec, allowed: a duration from 1s to 1h, such as 10s",
  ],
  "duration-out-of-range": [
    "4:24: targets[0].channelz.every: found 10ms, allowed: a duration from 1s to 1h, such as 10s",
  ],
  "duration-without-unit": [
    "4:14: targets[0].startup: found 600, allowed: a duration from 1s to 1d, such as 10s",
  ],
  "empty-file": ["1:1: targets: found nothing, allowed: a list with at least one target"],
  "every-with-cron": [
    "9:5: probes[0].cron: found cron beside every, allowed: either every or cron",
  ],
  "file-missing": [
    "4:16: targets[0].tls.ca: found /certs/missing.pem, which is not there, allowed: a file that exists",
  ],
  "ignore-bad-day": [
    "5:31: ignore[0].until: found 2027-02-30, allowed: a day such as 2027-01-15, or an RFC 3339 time",
  ],
  "ignore-unknown-code": [
    "5:13: ignore[0].code: found dns-stael, allowed: dns-stale, deadline-storm, traffic-stopped, config-rejected (did you mean dns-stale?)",
  ],
  "ignore-without-reason": [
    "5:5: ignore[0].reason: found nothing, allowed: a reason, for those who come later",
  ],
  "latency-longer-than-deadline": [
    "9:24: probes[0].expect.latency: found 1s, longer than the deadline, allowed: at most 500ms",
  ],
  "listen-host-name": [
    "1:9: listen: found orders.shop.svc:19464, allowed: :port, ipv4:port, [ipv6]:port or localhost:port, with a port up to 65535",
  ],
  "many-at-once": [
    "1:1: lisen: found an unknown key, allowed: listen, admin, adminToken, log, tracing, webhook, snapshots, targets, probes, findings, ignore (did you mean listen?)",
    "2:15: log.level: found inf, allowed: debug, info, warn, error (did you mean info?)",
    "5:14: targets[0].address: found localhost, allowed: localhost:port (the port is needed)",
    "6:23: targets[0].health.expect: found SERVIN, allowed: SERVING, NOT_SERVING, any (did you mean SERVING?)",
    "9:13: probes[0].target: found ap, allowed: app (did you mean app?)",
    "10:13: probes[0].method: found Get, allowed: package.Service/Method",
    "11:12: probes[0].every: found 10, allowed: a duration from 100ms to 1d, such as 10s",
    "12:14: probes[0].request: found ${NOPE}, allowed: a variable that is set, or a default: ${NOPE:-default}",
  ],
  "metadata-in-one-text": [
    "4:15: targets[0].metadata: found a value (not shown), allowed: a mapping",
  ],
  "password-that-looks-like-an-alias": [
    "4:32: targets[0].metadata.authorization: found an alias, which names nothing before it, allowed: an anchor that stands before its alias",
  ],
  "password-that-looks-like-yaml": [
    "4:32: (file): found no valid YAML (Unresolved tag), allowed: one YAML 1.2 document",
  ],
  "token-in-place-of-its-file": [
    "1:13: adminToken: found a name (not shown), which is not there, allowed: a file that exists",
    "5:40: targets[0].metadata.authorization.file: found a name (not shown), which is not there, allowed: a file that exists",
    "6:39: targets[0].tls.key: found a name (not shown), which is not there, allowed: a file that exists",
  ],
  "variable-with-a-bad-default": [
    "4:32: targets[0].metadata.authorization: found ${TOKEN…, allowed: ${VARIABLE} or ${VARIABLE:-default}; $${ for a literal ${",
  ],
  "metadata-line-break": [
    "4:26: targets[0].metadata.x-token: found a value (not shown), allowed: printable ASCII; base64 for a key that ends in -bin",
  ],
  "metadata-reserved": [
    "4:17: targets[0].metadata.grpc-timeout: found this key, allowed: lower-case letters, digits, dots, dashes and underscores; neither grpc-… nor a header of HTTP itself",
  ],
  "metadata-upper-case": [
    "4:17: targets[0].metadata.X-Tenant: found this key, allowed: lower-case letters, digits, dots, dashes and underscores; neither grpc-… nor a header of HTTP itself",
  ],
  "method-not-in-protoset": [
    "8:13: probes[0].method: found order.OrderService/GetOrdr, allowed: a method of the protoset (did you mean order.OrderService/GetOrder?)",
  ],
  "method-with-dot": [
    "7:13: probes[0].method: found order.OrderService.GetOrder, allowed: package.Service/Method, as order.OrderService/GetOrder",
  ],
  "method-with-leading-slash": [
    "7:13: probes[0].method: found /order.OrderService/GetOrder, allowed: package.Service/Method, as order.OrderService/GetOrder",
  ],
  "name-with-spaces": [
    '2:11: targets[0].name: found "my app", allowed: 1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first',
  ],
  "no-targets": ["1:1: targets: found nothing, allowed: a list with at least one target"],
  "not-yaml": [
    "2:1: (file): found no valid YAML (Flow map in block collection must be sufficiently indented and end with a }), allowed: one YAML 1.2 document",
  ],
  "open-variable": [
    "4:16: targets[0].authority: found ${ORDERS_HOST, allowed: ${VARIABLE} or ${VARIABLE:-default}; $${ for a literal ${",
  ],
  "probe-names-no-target": [
    "6:13: probes[0].target: found order, allowed: orders (did you mean orders?)",
  ],
  "proto-source": [
    "4:15: targets[0].protoset: found proto/orders.proto, allowed: a compiled FileDescriptorSet, made by: buf build proto --path proto/orders.proto -o proto/orders.binpb or: protoc -I proto --include_imports --descriptor_set_out=proto/orders.binpb proto/orders.proto",
  ],
  "ratio-in-percent": [
    "5:28: findings.deadline-storm.ratio: found 5, allowed: a ratio from 0.001 to 1",
  ],
  "request-file-missing": [
    "8:14: probes[0].request: found missing.json, which is not there, allowed: a file that exists",
  ],
  "request-is-a-word": [
    '8:14: probes[0].request: found a value (not shown), allowed: a mapping, a list of messages, or "@file"',
  ],
  "reserved-target-name": [
    "2:11: targets[0].name: found grpc-doctor, allowed: another name; grpc-doctor is kept for findings about the agent itself",
  ],
  "same-port-twice": ["1:1: admin: found nothing, allowed: another port than listen"],
  "secret-is-not-shown": [
    "4:17: webhook.url: found a value (not shown), allowed: a URL such as http://host:port/path",
  ],
  "severity-unknown": [
    "5:26: findings.dns-stale.severity: found crit, allowed: info, warning, critical (did you mean critical?)",
  ],
  "size-bad-unit": [
    "5:27: findings.deadline-storm.size: found 4MB, allowed: a size from 1KiB to 1MiB, such as 1KiB",
  ],
  "status-unknown": [
    "8:23: probes[0].expect.status: found OKAY, allowed: OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED",
  ],
  "tab-indent": [
    "2:1: (file): found no valid YAML (Tabs are not allowed as indentation), allowed: one YAML 1.2 document",
  ],
  "tls-misspelt": [
    "4:10: targets[0].tls: found offf, allowed: off, on, or a mapping of ca, cert, key, servedFrom",
  ],
  "two-documents": [
    "4:1: (file): found no valid YAML (Source contains multiple documents), allowed: one YAML 1.2 document",
  ],
  "unknown-code": [
    "5:3: findings.dns-stael: found an unknown key, allowed: dns-stale, deadline-storm, traffic-stopped, config-rejected (did you mean dns-stale?)",
  ],
  "unknown-key-at-the-top": [
    "1:1: lisen: found an unknown key, allowed: listen, admin, adminToken, log, tracing, webhook, snapshots, targets, probes, findings, ignore (did you mean listen?)",
  ],
  "unknown-key-of-a-target": [
    "2:5: targets[0].address: found nothing, allowed: a text such as localhost:50051",
    "3:5: targets[0].adress: found an unknown key, allowed: name, role, address, authority, tls, metadata, health, channelz, metrics, protoset, startup, findings (did you mean address?)",
  ],
  "unknown-limit": [
    "5:16: findings.dns-stale.abssent: found an unknown key, allowed: severity, hold, clearAfter, absent (did you mean absent?)",
  ],
  "unknown-tag": [
    "1:10: (file): found no valid YAML (Unresolved tag: tag:yaml.org,2002:js/function), allowed: one YAML 1.2 document",
  ],
  "unset-variable": [
    "4:16: targets[0].authority: found ${ORDERS_HOST}, allowed: a variable that is set, or a default: ${ORDERS_HOST:-default}",
  ],
};

const folder = new URL("bad/", import.meta.url);

it("has a message for every file of the gallery", () => {
  const files = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ""));
  expect(files.toSorted()).toEqual(Object.keys(MESSAGES).toSorted());
});

it.each(Object.entries(MESSAGES))("says what is wrong in %s", (name, messages) => {
  const file = `${name}.yaml`;
  const text = readFileSync(new URL(file, folder), "utf8");
  const printed = faultsOf(text, { file, ...SURROUNDINGS });
  expect(printed.split("\n")).toEqual(messages.map((message) => `${file}:${message}`));
});
