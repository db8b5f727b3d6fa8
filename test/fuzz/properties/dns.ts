import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIP } from "node:net";
import fc from "fast-check";
import { queryName } from "../../../src/net/dns-query.ts";
import { anyHex } from "../mutation.ts";
import { defineProperty } from "../property.ts";

/** A record of an answer: its name (a pointer to the question, to itself, or bytes), type, TTL, data. */
const record = fc.record({
  name: fc.oneof(fc.constantFrom("c00c", "c00c", "c00c", "c0ff", "00", "0161c00c"), anyHex(6)),
  type: fc.constantFrom(1, 28, 1, 28, 5, 16, 41, 65_535),
  ttl: fc.oneof(fc.nat(300), fc.constantFrom(0xffffffff, 0x80000000)),
  data: fc.oneof(
    fc
      .uint8Array({ minLength: 4, maxLength: 4 })
      .map((bytes) => Buffer.from(bytes).toString("hex")),
    fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => Buffer.from(bytes).toString("hex")),
    fc.constant("c00c"),
    anyHex(8),
  ),
});

const answer = fc.record({
  flags: fc.constantFrom(0x8180, 0x8180, 0x8183, 0x8182, 0x8185, 0x8380, 0x0000, 0xffff),
  records: fc.array(record, { maxLength: 5 }),
  /** What the header says there is; less and more than there is. */
  count: fc.option(fc.constantFrom(0, 1, 5, 65_535)),
  times: fc.constantFrom(1, 1, 1, 1, 200),
  cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
});

type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

/** The answer to a query as it came: its id and its question, then what was drawn. */
function reply(query: Buffer, { flags, records, count, times, cut }: Answer): Buffer {
  const all = Array.from({ length: times }, () => records).flat();
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(Math.min(count ?? all.length, 65_535), 6);
  head.writeUInt16BE(0, 10);
  const end = query.indexOf(0, 12) + 5;
  const bodies = all.map(({ name, type, ttl, data }) => {
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(type, 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt32BE(ttl, 4);
    fixed.writeUInt16BE(data.length / 2, 8);
    return Buffer.concat([Buffer.from(name, "hex"), fixed, Buffer.from(data, "hex")]);
  });
  const whole = Buffer.concat([head, query.subarray(12, end), ...bodies]);
  return whole.subarray(0, Math.max(0, Math.min(whole.length, 65_000) - cut));
}

/** The resolver waits a second for what it does not take for an answer; the law needs no such patience. */
const PATIENCE_MS = 150;

/** Whatever bytes a name server sends, there are addresses or a cause, in the time that there is. */
export const dnsAnswers = defineProperty({
  name: "dns-answers",
  runs: 10,
  input: answer,
  async check(drawn) {
    const server = createSocket("udp4");
    server.on("message", (query, from) =>
      server.send(reply(query, drawn), from.port, from.address),
    );
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), PATIENCE_MS);
    try {
      const servers = [`127.0.0.1:${server.address().port}`];
      const found = await queryName("orders.shop.svc", { servers, signal: over.signal });
      if ("cause" in found)
        return assert.ok(
          ["nxdomain", "no-data", "servfail", "refused", "timeout"].includes(found.cause),
        );
      assert.ok(found.addresses.every((address) => isIP(address) !== 0));
      assert.ok(found.addresses.length <= 4096);
      assert.ok(found.ttlMs >= 0 && Number.isFinite(found.ttlMs), String(found.ttlMs));
    } finally {
      clearTimeout(timer);
      server.close();
      await once(server, "close");
    }
  },
});
