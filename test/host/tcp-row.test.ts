import { isIP } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { addressText, canonicalAddress, isLoopback, parseTcpRow } from "../../src/host/tcp-row.ts";
import { addressHex, HEADING, rowText } from "../support/proc-net.ts";

const parse = (line: string) => parseTcpRow(Buffer.from(line), 0, Buffer.byteLength(line));

it("reads a listener that Linux printed, with two connections waiting", () => {
  const line =
    "   0: 00000000000000000000000000000000:B3AF 00000000000000000000000000000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 55087 3 00000000cdca7e22 100 0 0 10 0";
  expect(parse(line)).toEqual({
    local: "0".repeat(32),
    localPort: 45_999,
    remote: "0".repeat(32),
    remotePort: 0,
    state: 10,
    sendQueue: 0,
    receiveQueue: 2,
    timer: 0,
    retransmits: 0,
    inode: 55_087,
    hasTiming: true,
  });
});

it("reads an unaccepted row of a dual-stack listener, as IPv4", () => {
  const line =
    "   1: 0000000000000000FFFF00000100007F:B3AF 0000000000000000FFFF00000100007F:C4E4 01 00000000:00000064 00:00000000 00000000     0        0 0 1 00000000b15ea3b5 20 4 30 10 -1";
  expect(parse(line)).toEqual({
    local: "0100007F",
    localPort: 45_999,
    remote: "0100007F",
    remotePort: 50_404,
    state: 1,
    sendQueue: 0,
    receiveQueue: 100,
    timer: 0,
    retransmits: 0,
    inode: 0,
    hasTiming: false,
  });
});

it.each([
  ["a row in a zero-window probe", { timer: "04", sendQueue: 9 }, { timer: 4, sendQueue: 9 }],
  ["a SYN without answer", { state: "02", retransmits: 3 }, { state: 2, retransmits: 3 }],
  [
    "a listener of a kernel without timing",
    { state: "0A", tail: "1 0x0 0 0 0" },
    { hasTiming: false },
  ],
  ["a listener whose row ends early", { state: "0A", tail: "" }, { hasTiming: false }],
])("reads %s", (_what, text, want) => {
  expect(parse(rowText(text))).toMatchObject(want);
});

it.each([
  ["the heading", HEADING],
  ["an empty line", ""],
  ["a line that was cut", rowText({}).slice(0, 60)],
  ["an address of no known length", rowText({}).replace("0500010A", "0500")],
])("passes over %s", (_what, line) => {
  expect(parse(line)).toBeUndefined();
});

it("never throws, whatever the bytes", () => {
  const piece = fc.oneof(
    fc.constantFrom("0:", " ", "0100007F:1234", "0A", ":", "\0", "ffffffffffffffffffff"),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const row = parse(pieces.join(""));
      expect([undefined, 8, 32]).toContain(row?.local.length);
    }),
  );
});

it.each([
  ["127.0.0.1", "0100007F", true],
  ["127.255.0.7", "0700FF7F", true],
  ["10.1.2.127", "7F02010A", false],
  ["::1", "00000000000000000000000001000000", true],
  ["fd00::1:0:0:7", "000000FD000000000000010007000000", false],
])("knows %s in the kernel's writing", (text, hex, loops) => {
  expect(addressText(hex)).toBe(text);
  expect(isLoopback(hex)).toBe(loops);
});

it("writes every address as resolvers do", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const plain = canonicalAddress(address);
      fc.pre(isIP(plain) === 4 || !plain.includes("."));
      expect(addressText(addressHex(plain))).toBe(plain);
    }),
  );
});

it.each([
  ["FD00:0:0:0::7", "fd00::7"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["fe80::1%eth0", "fe80::1"],
  ["10.0.0.1", "10.0.0.1"],
  ["no address:at all", "no address:at all"],
])("brings %s to one form", (text, want) => {
  expect(canonicalAddress(text)).toBe(want);
});
