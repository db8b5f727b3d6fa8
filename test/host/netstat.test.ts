import { expect, it } from "vitest";
import { parseNetstat } from "../../src/host/netstat.ts";

it.each([
  [
    "a kernel that counts both",
    "TcpExt: A ListenOverflows ListenDrops\nTcpExt: 1 22 333\n",
    22,
    333,
  ],
  ["names in another order", "TcpExt: ListenDrops ListenOverflows\nTcpExt: 5 4\n", 4, 5],
  [
    "a row of values that ends early",
    "TcpExt: ListenOverflows ListenDrops\nTcpExt: 7\n",
    7,
    undefined,
  ],
  ["a kernel that counts neither", "TcpExt: A\nTcpExt: 1\n", undefined, undefined],
  ["junk for a number", "TcpExt: ListenOverflows ListenDrops\nTcpExt: x -\n", undefined, undefined],
  ["another table", "IpExt: ListenOverflows\nIpExt: 1\n", undefined, undefined],
  ["nothing", "", undefined, undefined],
])("reads %s", (_what, text, overflows, drops) => {
  const { overflows: seenOverflows, drops: seenDrops } = parseNetstat(text);
  expect([seenOverflows, seenDrops]).toEqual([overflows, drops]);
});
