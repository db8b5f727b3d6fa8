import assert from "node:assert/strict";
import fc from "fast-check";
import { Reply } from "../../../src/grpc/reply.ts";
import { alertOf } from "../../../src/net/alert.ts";
import { chainFacts, coversAuthority, readBundle } from "../../../src/net/certificate.ts";
import { recognise } from "../../../src/net/sniff.ts";
import { anyHex, anyText, bytesOf, mutated, mutatedHex } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const FIRST_BYTES = [
  "000006040000000000000300000064", // SETTINGS
  "15030300020246", // a TLS alert
  "16030300", // a TLS handshake
  Buffer.from("HTTP/1.1 400 Bad Request\r\n").toString("hex"),
  Buffer.from("+OK ready").toString("hex"),
];

export const firstBytes = defineProperty({
  name: "first-bytes",
  runs: 200,
  input: fc.oneof(mutatedHex(FIRST_BYTES), anyHex(40)),
  check(hex) {
    const { found, firstOctets = "", alert = 0 } = recognise(bytesOf(hex));
    assert.ok(["h2c", "tls", "http1", "other"].includes(found));
    assert.ok(hex.startsWith(firstOctets) && firstOctets.length <= 32);
    assert.ok(alert >= 0 && alert <= 255);
    assert.ok(alertOf(`ERR_SSL_TLSV1_ALERT_${hex.toUpperCase()}`) === undefined);
  },
});

/** One that openssl made for ten years: CN=orders, DNS:orders.shop.svc, IP:127.0.0.1, with a P-256 key. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmjCCAT+gAwIBAgIUMXBf10ZaY9QqriIsslw9JmczNiYwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGb3JkZXJzMB4XDTI2MTEyMjE5MjgxMVoXDTM2MTExOTE5Mjgx
MVowETEPMA0GA1UEAwwGb3JkZXJzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
yW5ubybIsYoXj1LiP7W42kSN5tbMdTIG3FbjGLpKR3TZeSY2sD+7w4bqBedXU9vw
2X5UBKpqn47xAd13fkRpKqN1MHMwHQYDVR0OBBYEFBXH1SelDM7ymLnQkiJNR9iz
f/OnMB8GA1UdIwQYMBaAFBXH1SelDM7ymLnQkiJNR9izf/OnMA8GA1UdEwEB/wQF
MAMBAf8wIAYDVR0RBBkwF4IPb3JkZXJzLnNob3Auc3ZjhwR/AAABMAoGCCqGSM49
BAMCA0kAMEYCIQCMdA/2YiP0st38cQJveJDCc++yTEQRe5psDDGSDGAYdgIhAIyL
Y6Psl7J5B1avdCDtZ8Z/IkeebFI4G7KWP3lnE26x
-----END CERTIFICATE-----
`;
const DER = Buffer.from(CERTIFICATE.split("\n").slice(1, -2).join(""), "base64").toString("hex");

/** A bundle of any text is certificates with facts that can be told, or none. */
export const certificateBytes = defineProperty({
  name: "certificate-bytes",
  runs: 60,
  input: fc.oneof(
    mutatedHex([DER], 3).map((hex) => pem(hex)),
    mutated([CERTIFICATE], ["-----BEGIN CERTIFICATE-----\n", "TRUSTED ", "="]),
  ),
  check(text) {
    const sent = readBundle(text);
    const bundle = readBundle(CERTIFICATE);
    const facts = chainFacts(sent, {
      authority: "orders.shop.svc",
      bundle,
      now: 1_768_478_400_000,
    });
    assert.ok(facts.chain.length <= 10 && facts.sans.length <= 100);
    for (const { subject, issuer, fingerprint, notBefore, notAfter } of facts.chain) {
      assert.match(subject, /^[^\p{Cc}\p{Cf}]{0,200}$/u);
      assert.match(issuer, /^[^\p{Cc}\p{Cf}]{0,200}$/u);
      assert.match(fingerprint, /^[0-9a-f]{64}$/);
      assert.ok(Number.isFinite(notBefore) && Number.isFinite(notAfter));
    }
    for (const name of facts.sans) assert.match(name, /^[^\p{Cc}\p{Cf}]{0,200}$/u);
  },
});

function pem(hex: string): string {
  return `-----BEGIN CERTIFICATE-----\n${bytesOf(hex).toString("base64")}\n-----END CERTIFICATE-----\n`;
}

/** A name is covered by itself and by its parent's wildcard, and by nothing that is not in the list. */
export const coveredNames = defineProperty({
  name: "covered-names",
  runs: 200,
  input: fc.record({
    host: fc.domain(),
    others: fc.array(fc.oneof(anyText(20), fc.domain()), { maxLength: 4 }),
    port: fc.nat(65_535),
  }),
  check({ host, others, port }) {
    const parent = host.slice(host.indexOf(".") + 1);
    assert.ok(coversAuthority([...others, host.toUpperCase()], `${host}:${port}`));
    assert.ok(coversAuthority([`*.${parent}`], host));
    assert.ok(!coversAuthority([`*.${host}`, parent === host ? "x" : parent, `x${host}`], host));
    const lower = others.map((other) => other.toLowerCase().replace(/\.$/, ""));
    const isListed = lower.some(
      (other) => other === host.toLowerCase() || other === `*.${parent.toLowerCase()}`,
    );
    assert.equal(coversAuthority(others, host), isListed);
  },
});

/** Headers of any server become facts that are bounded and masked. */
export const replyHeaders = defineProperty({
  name: "reply-headers",
  runs: 200,
  input: fc.record({
    status: fc.oneof(fc.constantFrom(200, 404, 503), fc.nat(999)),
    headers: fc.dictionary(
      fc.oneof(
        fc.constantFrom("grpc-status", "grpc-message", "content-type", "server", "date", "x-note"),
        fc.stringMatching(/^[a-z][a-z-]{0,10}$/),
      ),
      fc.oneof(
        anyText(300),
        fc.constantFrom(
          "0",
          "13",
          "99999999999",
          "%E2%82",
          "%zz%00%0a",
          "application/grpc",
          "text/html",
        ),
      ),
      { maxKeys: 6, noNullPrototype: true },
    ),
    body: anyHex(80),
  }),
  check({ status, headers, body }) {
    const reply = new Reply("/a.B/C");
    reply.hearHeaders({ ":status": String(status), ...headers } as never);
    reply.hearBody(bytesOf(body));
    reply.hearTrailers(headers);
    for (const isText of [true, false]) {
      const facts = Object.entries(reply.facts(isText));
      const texts = facts.filter(([name, value]) => name !== "path" && typeof value === "string");
      for (const [, text] of texts) assert.match(String(text), /^[^\p{Cc}\p{Cf}]{0,200}$/u);
      const numbers = facts.filter(([, value]) => typeof value === "number");
      assert.ok(numbers.every(([, value]) => Number.isSafeInteger(value)));
    }
  },
});
