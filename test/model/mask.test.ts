import { describe, expect, test } from "vitest";
import { maskText, secretsOf } from "../../src/model/mask.ts";

const KEPT: readonly (readonly [sentence: string, text: string])[] = [
  ["an empty text", ""],
  ["a service name", "unknown service order.OrderService"],
  ["a method path", "Method not found: /grpc.health.v1.Health/List"],
  ["a host name with its port", "orders.shop.svc.cluster.local:50051 is not ready"],
  ["a time of day", "failed at 12:34:56, retry at 12:35"],
  ["a version", "server 1.85.0 on linux 6.1.0"],
  ["a C++ name", "grpc::Status and face::Error from std::vector"],
  ["an English word after bearer", "bearer authentication required"],
  ["a word after a token's colon", "invalid token: expired"],
  ["a size", "Received message larger than max (5242880 vs 4194304)"],
  ["a long word of letters", "an internationalization_problem_of_kind"],
  ["an umlaut and an emoji", "schön 🦊"],
];

const MASKED: readonly (readonly [sentence: string, text: string, masked: string])[] = [
  ["a second line", "first\nsecond", "first"],
  ["a line separator", "first\u2028second", "first"],
  ["empty lines before the text", "\r\n\n  text", "text"],
  ["a terminal's escape", "\u001b[31mred\u001b[0m", "[31mred[0m"],
  ["an override of direction", "a\u202eb", "ab"],
  ["an IPv4 address", "dial tcp 10.0.0.12:443: refused", "dial tcp <address>: refused"],
  ["an address at the end", "from 10.1.2.3.", "from <address>."],
  ["an IPv6 address", "dial [fd00::1]:443 and 2001:db8::2", "dial <address> and <address>"],
  ["the loopback of IPv6", "at ::1 port", "at <address> port"],
  ["a full IPv6 address", "x 2001:db8:0:1:2:3:4:5 y", "x <address> y"],
  ["an IPv4-mapped address", "x ::ffff:10.0.0.1 y", "x <address> y"],
  ["a mail address", "user jane.doe@example.com unknown", "user <address> unknown"],
  ["a UUID", "order 123E4567-e89b-12d3-a456-426614174000 gone", "order <uuid> gone"],
  ["a bearer token", "got Bearer abc.DEF-1", "got Bearer <token>"],
  ["a short basic credential", "Basic dTpw== refused", "Basic <token> refused"],
  ["a password", "password=hunter2&x=1", "password=<token>&x=1"],
  ["a JWT", "jwt eyJhbGciOi.eyJzdWIi.sig-1 bad", "jwt <token> bad"],
  ["a hex run", "key deadbeef00deadbeef00 bad", "key <token> bad"],
  ["a run of forty letters", `key ${"k".repeat(40)} bad`, "key <token> bad"],
  ["a URL's password", "https://u:p@host/path", "https://<token>@host/path"],
];

describe("a server's text", () => {
  test.each(KEPT)("keeps %s", (_sentence, text) => {
    expect(maskText(text)).toBe(text);
  });

  test.each(MASKED)("masks %s", (_sentence, text, masked) => {
    expect(maskText(text)).toBe(masked);
    expect(maskText(masked)).toBe(masked);
  });

  test("ends at 200 characters", () => {
    const words = "word ".repeat(100);
    expect(maskText(words)).toBe(words.slice(0, 199));
  });

  test("is not cut through a character", () => {
    expect(maskText(`${"a b".repeat(66)} 🦊`)).toBe("a b".repeat(66));
  });

  test("leaves no half of a token at either cut", () => {
    expect(maskText(`${"a ".repeat(95)}${"k1".repeat(40)}`)).toBe(`${"a ".repeat(95)}<token>`);
    expect(maskText(`${"k1".repeat(990)} ab ${"c3".repeat(20)}`)).toBe("<token> ab");
  });

  test("costs bounded time, however hostile", () => {
    const hostile = [
      "1".repeat(1e6),
      ":".repeat(1e6),
      "a-".repeat(5e5),
      "@".repeat(1e6),
      "[:".repeat(5e5),
    ];
    const started = process.cpuUsage();
    const lengths = hostile.map((text) => maskText(text).length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(200);
    expect(process.cpuUsage(started).user).toBeLessThan(500_000);
  });
});

test("quotes nothing that the server was shown, in whichever form it says it", () => {
  const basic = Buffer.from("doctor:open sesame").toString("base64");
  const shown = secretsOf([
    ["authorization", "Bearer hunter2"],
    ["x-login", `Basic ${basic}`],
    ["x-tenant", "blue"],
    ["x-zone", "eu"],
  ]);
  const said = [
    "no such token: hunter2, Bearer hunter2",
    `wrong password open sesame of doctor:open sesame (${basic})`,
    "tenant blue is not in eu",
  ];
  expect(said.map((text) => maskText(text, shown))).toEqual([
    "no such token: <token>, <token>",
    "wrong password <token> of <token> (<token>)",
    "tenant <token> is not in eu",
  ]);
});
