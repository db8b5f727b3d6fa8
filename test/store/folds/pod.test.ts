import { describe, expect, it } from "vitest";
import type { KernelObservation } from "../../../src/model/observation.ts";
import type { RemoteRows } from "../../../src/model/socket-rows.ts";
import { folded } from "../../support/folded.ts";
import { aCycleAt, after, aReadAt } from "../../support/observations.ts";
import { NOW, someRemoteRows } from "../../support/snapshot.ts";

const row = (address: string, queued = 0) => ({ address, port: 50051, queued, inode: 1 });
const remotes = (count: number, change: Partial<RemoteRows> = {}) =>
  Array.from({ length: count }, (_, i) =>
    someRemoteRows({ address: `10.0.${i >> 8}.${i & 255}`, ...change }),
  );

it("sums what waits to be accepted over the rows of the port", () => {
  const read = aReadAt(0, {
    listeners: [row("0.0.0.0", 2), row("::", 3)],
    overflows: 7,
    drops: 0,
    keptReceiveQueueBytes: 0,
    inbound: {
      ...aReadAt(0).inbound,
      unaccepted: 4,
      established: 9,
      receiveQueueBytes: 11,
      acceptedReceiveQueueBytes: 7,
    },
  });
  expect(folded("listeners", [read])?.reads).toEqual([
    {
      at: NOW,
      queued: 5,
      unaccepted: 4,
      overflows: 7,
      drops: 0,
      established: 9,
      receiveQueueBytes: 11,
      acceptedReceiveQueueBytes: 7,
      keptReceiveQueueBytes: 0,
    },
  ]);
});

it("remembers the clients within the pod: a proxy may call rarely", () => {
  const readWith = (seconds: number, loopbackClients: number) =>
    aReadAt(seconds, { inbound: { ...aReadAt(0).inbound, loopbackClients } });
  const clients = [readWith(0, 0), readWith(15, 2), readWith(30, 1), readWith(45, 0)].map(
    (_read, last, reads) => folded("listeners", reads.slice(0, last + 1))?.loopbackClients,
  );
  expect(clients).toEqual([0, 2, 2, 2]);
});

it("does not know what is accepted where the kernel does not tell", () => {
  const inbound = { ...aReadAt(0).inbound, acceptedReceiveQueueBytes: 7 };
  const blindRead = aReadAt(0, { tellsAcceptance: false, inbound });
  const [read] = folded("listeners", [blindRead])?.reads ?? [];
  expect(read).toEqual({ at: NOW, queued: 0, established: 1, receiveQueueBytes: 0 });
});

it.each<[string, readonly KernelObservation[], number]>([
  ["the rows stay", [aReadAt(0), aReadAt(15)], 0],
  [
    "their order changes",
    [
      aReadAt(0, { listeners: [row("::"), row("0.0.0.0")] }),
      aReadAt(15, { listeners: [row("0.0.0.0"), row("::")] }),
    ],
    0,
  ],
  ["a row is lost", [aReadAt(0), aReadAt(15, { listeners: [] })], 15],
  ["the address is another", [aReadAt(0), aReadAt(15, { listeners: [row("127.0.0.1")] })], 15],
])("knows since when the rows are these when %s", (_when, reads, since) => {
  expect(folded("listeners", reads)?.since).toBe(after(since));
});

it("keeps 40 reads of the port and 12 of what the app dials", () => {
  const reads = Array.from({ length: 50 }, (_, i) => aReadAt(i));
  expect(folded("listeners", reads)?.reads).toHaveLength(40);
  expect(folded("outbound", reads)?.reads).toHaveLength(12);
});

it("takes on an upstream its own remotes, on the app those of nobody", () => {
  const read = aReadAt(0, {
    remotes: remotes(1, { address: "10.0.0.1" }),
    otherRemotes: remotes(1, { address: "10.9.9.9" }),
  });
  const addresses = (target: string) =>
    folded("outbound", [{ ...read, target }])?.reads[0]?.remotes.map(({ address }) => address);
  expect([addresses("inventory"), addresses("app")]).toEqual([["10.0.0.1"], ["10.9.9.9"]]);
});

it("says nothing of what the app dials from another network namespace", () => {
  expect(folded("outbound", [aReadAt(0, { sharesNetwork: false })])).toBeUndefined();
});

it("says nothing of what others dial on the host's network", () => {
  const surroundings = { mesh: false, hostNetwork: true, podAddresses: ["10.0.0.5"] };
  expect(folded("outbound", [aReadAt(0, { surroundings })])).toBeUndefined();
});

it("keeps 100 remotes, those that wait for an answer first", () => {
  const stuck = someRemoteRows({ address: "10.7.7.7", established: 0, synSent: 1 });
  const read = aReadAt(0, { otherRemotes: [...remotes(150), stuck] });
  const [kept] = folded("outbound", [read])?.reads ?? [];
  expect(kept?.remotes).toHaveLength(100);
  expect(kept?.remotes[0]).toEqual(stuck);
});

it("knows which remotes a channel of the app names, connected or not", () => {
  const subchannel = {
    id: 2,
    state: "READY",
    target: "10.0.0.2:50051",
    callsStarted: 0,
    callsSucceeded: 0,
    callsFailed: 0,
    remotes: ["10.0.0.1:50051"],
    openStreams: 0,
  } as const;
  const calls = { callsStarted: 0, callsSucceeded: 0, callsFailed: 0 };
  const channel = {
    id: 1,
    state: "READY",
    target: "dns:///b",
    ...calls,
    subchannels: [subchannel],
  } as const;
  expect(folded("outbound", [aReadAt(0), aCycleAt(1, { channels: [channel] })])?.knownAs).toEqual({
    "10.0.0.1:50051": "dns:///b",
    "10.0.0.2:50051": "dns:///b",
  });
});

it("tells the pod's surroundings with what the read cost", () => {
  expect(folded("surroundings", [aReadAt(0)])).toEqual({
    mesh: false,
    hostNetwork: false,
    podAddresses: ["10.0.0.5"],
    readCostMs: 2,
  });
});

describe("remembers minutes of a busy remote", () => {
  const dialled = (seconds: number, localPorts: readonly number[], change = {}) =>
    aReadAt(seconds, {
      otherRemotes: [someRemoteRows({ established: localPorts.length, localPorts, ...change })],
    });
  const minutesOf = (reads: readonly ReturnType<typeof aReadAt>[]) =>
    folded("outbound", reads)?.minutes.map(({ at, to, remotes }) => [
      at,
      to,
      remotes.map(({ established, timeWait, newPorts }) => [established, timeWait, newPorts]),
    ]);

  it("with the ports that one read had and the read before had not", () => {
    expect(minutesOf([dialled(0, [1, 2]), dialled(15, [2, 3, 4]), dialled(30, [5])])).toEqual([
      [NOW, after(30), [[1, 0, 3]]],
    ]);
  });

  it("and forgets, once the minute is over, remotes that were not busy", () => {
    const reads = [
      dialled(0, [1]),
      dialled(60, [1]),
      dialled(120, [1, 2, 3, 4]),
      dialled(180, [1]),
    ];
    expect(minutesOf(reads)).toEqual([
      [NOW, NOW, []],
      [after(60), after(60), []],
      [after(120), after(120), [[4, 0, 3]]],
      [after(180), after(180), [[1, 0, 0]]],
    ]);
  });

  it("of a remote whose connections were all closed again", () => {
    const none = aReadAt(20, { otherRemotes: [] });
    expect(minutesOf([dialled(0, []), dialled(10, [1, 2, 3], { timeWait: 7 }), none])).toEqual([
      [NOW, after(20), [[0, 0, 3]]],
    ]);
  });

  it("without ports where there are more than the kernel read keeps", () => {
    const many = Array.from({ length: 64 }, (_, i) => i);
    expect(minutesOf([dialled(0, [1]), dialled(15, many), dialled(30, [900])])).toEqual([
      [NOW, after(30), [[1, 0, 0]]],
    ]);
  });

  it("twelve of them", () => {
    const reads = Array.from({ length: 20 }, (_, i) => dialled(60 * i, [1]));
    expect(minutesOf(reads)).toHaveLength(12);
  });
});
