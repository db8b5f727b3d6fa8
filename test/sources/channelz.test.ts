import type { MessageInitShape } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import {
  GetServerSocketsResponseSchema,
  GetServersResponseSchema,
  GetSocketResponseSchema,
  GetTopChannelsResponseSchema,
} from "../../src/grpc/gen/grpc/channelz/v1/channelz_pb.js";
import type { JobOf } from "../../src/model/job.ts";
import type { ChannelzObservation } from "../../src/model/observation.ts";
import type { Clock } from "../../src/model/time.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { channelz } from "../../src/sources/channelz.ts";
import { issue, issueCa } from "../support/certificates.ts";
import {
  answers,
  type FaultyServer,
  type Handler,
  startFaultyServer,
} from "../support/faulty-server.ts";
import {
  type GrpcServer,
  type GrpcServerOptions,
  startGrpcServer,
} from "../support/grpc-server.ts";
import { channelzPath, says, vastChannelz } from "../support/hostile/vast-channelz.ts";
import { aLook, type Look } from "../support/look.ts";
import { aTarget } from "../support/targets.ts";

const started: { stop(): Promise<void> }[] = [];
const looks: Look[] = [];
const callers: grpc.Client[] = [];
const calls: grpc.ClientDuplexStream<Buffer, Buffer>[] = [];

afterEach(async () => {
  await Promise.all(looks.splice(0).map((look) => look.close()));
  for (const call of calls.splice(0)) call.cancel();
  for (const caller of callers.splice(0)) caller.close();
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

const job = (change: Partial<JobOf<"channelz">> = {}): JobOf<"channelz"> => ({
  key: "channelz/app",
  source: "channelz",
  label: "channelz",
  target: "app",
  cadence: { kind: "every", ms: 10_000 },
  deadlineMs: 10_000,
  socketBudget: 20,
  suspects: [],
  resumeAfter: 0,
  ...change,
});

async function grpcServer(options?: GrpcServerOptions): Promise<[GrpcServer, Look]> {
  const server = await startGrpcServer(options);
  const look = aLook(server.target());
  started.push(server);
  looks.push(look);
  return [server, look];
}

async function cycle(look: Look, change?: Partial<JobOf<"channelz">>) {
  const observations = await look.run(channelz, job(change));
  return observations.find((each): each is ChannelzObservation => each.kind === "cycle")!;
}

const raw = (bytes: Buffer) => bytes;

/** A client of the app with that many calls that stay open. */
async function caller(server: GrpcServer, openCalls: number): Promise<grpc.Client> {
  const client = new grpc.Client(server.address, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  callers.push(client);
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + 5000, (error) => (error ? reject(error) : resolve())),
  );
  const path = "/order.OrderService/ProcessOrders";
  for (const _each of Array.from({ length: openCalls })) {
    const call = client.makeBidiStreamRequest(path, raw, raw);
    call.on("error", () => {});
    calls.push(call);
    call.write(Buffer.from([10, 1, 97]));
    await new Promise((resolve) => call.once("data", resolve));
  }
  return client;
}

describe("a cycle on grpc-js", () => {
  it("tells the server, its connections without ours, and our calls", async () => {
    const [server, look] = await grpcServer();
    await caller(server, 2);
    const seen = await cycle(look);
    expect(seen).toEqual({
      source: "channelz",
      kind: "cycle",
      target: "app",
      at: expect.any(Number),
      implementation: "grpc-js",
      server: {
        id: expect.any(Number),
        // Two of the caller, and the GetServers that asks.
        callsStarted: 3,
        callsSucceeded: 0,
        callsFailed: 0,
        listens: [server.address],
        createdAt: expect.any(Number),
      },
      ownCalls: { started: 1, succeeded: 0, failed: 0, unimplemented: 0 },
      socketCount: 1,
      socketsTruncated: false,
      lastInTurn: expect.any(Number),
      sockets: [
        {
          id: expect.any(Number),
          peer: "127.0.0.1",
          peerPort: expect.any(Number),
          streamsStarted: 2,
          streamsSucceeded: 0,
          streamsFailed: 0,
          openStreams: 2,
          messagesSent: 2,
          messagesReceived: 2,
          keepAlivesSent: 0,
          lastRemoteStreamAt: expect.any(Number),
          lastMessageSentAt: expect.any(Number),
          lastMessageReceivedAt: expect.any(Number),
          canSendBytes: expect.any(Number),
        },
      ],
      channels: expect.any(Array),
      durationMs: expect.any(Number),
    });
  });

  it("tells the app's own channels with their far ends and open calls", async () => {
    const [server, look] = await grpcServer();
    await caller(server, 3);
    const { channels } = await cycle(look);
    expect(channels.filter(({ target }) => target === server.address)).toEqual([
      {
        id: expect.any(Number),
        state: "READY",
        target: server.address,
        callsStarted: 3,
        callsSucceeded: 0,
        callsFailed: 0,
        subchannels: [
          {
            id: expect.any(Number),
            state: "READY",
            target: server.address,
            callsStarted: 3,
            callsSucceeded: 0,
            callsFailed: 0,
            remotes: [server.address],
            openStreams: 3,
          },
        ],
      },
    ]);
  });

  it("picks the server that listens on the target's port among several of the process", async () => {
    await grpcServer();
    const [server, look] = await grpcServer();
    expect((await cycle(look)).server?.listens).toEqual([server.address]);
  });

  it("reads suspects first, and the rest in turn", async () => {
    const [server, look] = await grpcServer();
    await Promise.all(Array.from({ length: 5 }, () => caller(server, 0)));
    const all = (await cycle(look)).sockets.map(({ id }) => id);
    const [first, second, third, fourth, fifth] = all as [number, number, number, number, number];
    const ids = async (change: Partial<JobOf<"channelz">>) =>
      (await cycle(look, change)).sockets.map(({ id }) => id);

    const turn = await cycle(look, { socketBudget: 2, suspects: [fifth], resumeAfter: first });
    expect(turn.sockets.map(({ id }) => id)).toEqual([fifth, second]);
    // A suspect that is read out of its turn does not move it.
    expect(turn.lastInTurn).toBe(second);
    expect(await ids({ socketBudget: 3, resumeAfter: fourth })).toEqual(
      expect.arrayContaining([fifth]),
    );
    // A suspect that has gone is not an error.
    expect(await ids({ socketBudget: 3, suspects: [999_999], resumeAfter: second })).toEqual([
      third,
      fourth,
    ]);
    expect((await cycle(look, { socketBudget: 1 })).socketCount).toBe(5);
  });

  it("is a capability where it is not served, told once and not asked again", async () => {
    const [, look] = await grpcServer({ channelz: false });
    const observations = [
      ...(await look.run(channelz, job())),
      ...(await look.run(channelz, job())),
    ];
    expect(observations).toEqual([
      {
        source: "channelz",
        kind: "capability",
        target: "app",
        at: expect.any(Number),
        available: false,
        reason: "UNIMPLEMENTED",
        fix: expect.stringContaining("addAdminServicesToServer"),
      },
    ]);
    expect(look.tools.ownCalls.read("app").unimplemented).toBe(1);
  });

  it("is a capability where the server lets nobody in without a certificate", async () => {
    const ca = await issueCa();
    const { cert, key } = await issue({ issuer: ca });
    const server = await startFaultyServer({ tls: { cert, key, clientCa: ca.cert } });
    const look = aLook(aTarget(server.address));
    started.push(server);
    looks.push(look);
    expect(await look.run(channelz, job())).toEqual([
      {
        source: "channelz",
        kind: "capability",
        target: "app",
        at: expect.any(Number),
        available: false,
        reason: "client_certificate_required",
        fix: expect.stringContaining("`tls.cert`"),
      },
    ]);
  });

  it("says nothing where there is no connection", async () => {
    const [server, look] = await grpcServer();
    await server.stop();
    expect(await look.run(channelz, job())).toEqual([]);
  });
});

const path = channelzPath;
const servers = (init: MessageInitShape<typeof GetServersResponseSchema>) =>
  says(GetServersResponseSchema, init);
const sockets = (init: MessageInitShape<typeof GetServerSocketsResponseSchema>) =>
  says(GetServerSocketsResponseSchema, init);
const socket = (init: MessageInitShape<typeof GetSocketResponseSchema>) =>
  says(GetSocketResponseSchema, init);
const topChannels = (init: MessageInitShape<typeof GetTopChannelsResponseSchema>) =>
  says(GetTopChannelsResponseSchema, init);
const noChannels = topChannels({ end: true });

/** A channelz that answers what it is told. */
async function scripted(
  handlers: Readonly<Record<string, Handler>>,
  clock: Clock = systemClock,
): Promise<[FaultyServer, Look]> {
  const server = await startFaultyServer({
    handlers: { [path("GetTopChannels")]: noChannels, ...handlers },
  });
  const look = aLook(aTarget(server.address), { clock });
  started.push(server);
  looks.push(look);
  return [server, look];
}

const lone = servers({ server: [{ ref: { serverId: 1n }, data: {} }], end: true });
const asked = (server: FaultyServer, method: string) =>
  server.calls.filter((headers) => headers[":path"] === path(method)).length;

describe("a channelz that misbehaves", () => {
  it("does not hold us with pages that do not advance", async () => {
    const [server, look] = await scripted({
      [path("GetServers")]: lone,
      // grpc-js's answer to max_results −1, and one that repeats itself.
      [path("GetServerSockets")]: sockets({ end: false }),
      [path("GetTopChannels")]: topChannels({ channel: [{ ref: { channelId: 3n } }] }),
    });
    const seen = await cycle(look);
    expect([seen.socketCount, seen.channels.length]).toEqual([0, 2]);
    expect([asked(server, "GetServerSockets"), asked(server, "GetTopChannels")]).toEqual([1, 2]);
  });

  it("bounds what it lists", async () => {
    const socketRef = Array.from({ length: 3000 }, (_, index) => ({ socketId: BigInt(index + 1) }));
    const [, look] = await scripted({
      [path("GetServers")]: lone,
      [path("GetServerSockets")]: sockets({ socketRef, end: true }),
      [path("GetSocket")]: answers.status(5),
    });
    const seen = await cycle(look, { socketBudget: 4 });
    expect([seen.socketCount, seen.socketsTruncated, seen.sockets]).toEqual([1999, true, []]);
  });

  it("bounds numbers that no number holds, and knows never from a time", async () => {
    const huge = 2n ** 63n - 1n;
    const [, look] = await scripted({
      [path("GetServers")]: lone,
      [path("GetServerSockets")]: sockets({ socketRef: [{ socketId: 1n }], end: true }),
      [path("GetSocket")]: socket({
        socket: {
          ref: { socketId: 1n },
          data: {
            streamsStarted: huge,
            streamsFailed: -5n,
            lastMessageSentTimestamp: { seconds: huge },
            lastMessageReceivedTimestamp: { seconds: 0n },
          },
        },
      }),
    });
    expect((await cycle(look)).sockets).toEqual([
      {
        id: 1,
        peer: "",
        streamsStarted: Number.MAX_SAFE_INTEGER,
        streamsSucceeded: 0,
        streamsFailed: 0,
        openStreams: Number.MAX_SAFE_INTEGER,
        messagesSent: 0,
        messagesReceived: 0,
        keepAlivesSent: 0,
      },
    ]);
  });

  it("puts the last stream in our own time, whatever the wall clock was set to", async () => {
    const seconds = 1_800_000_000n;
    const [, look] = await scripted(
      {
        [path("GetServers")]: lone,
        [path("GetServerSockets")]: sockets({ socketRef: [{ socketId: 1n }], end: true }),
        [path("GetSocket")]: socket({
          socket: {
            ref: { socketId: 1n },
            data: { lastRemoteStreamCreatedTimestamp: { seconds } },
          },
        }),
      },
      { ...systemClock, shown: (at) => at + 86_400_000 },
    );
    expect((await cycle(look)).sockets).toMatchObject([
      { lastRemoteStreamAt: 1_800_000_000_000 - 86_400_000 },
    ]);
  });

  it("leaves out a socket whose reader hangs, after a second and a half", async () => {
    const [, look] = await scripted({
      [path("GetServers")]: lone,
      [path("GetServerSockets")]: sockets({ socketRef: [{ socketId: 1n }], end: true }),
      [path("GetSocket")]: () => {},
    });
    const seen = await cycle(look);
    expect(seen.sockets).toEqual([]);
    expect(seen.durationMs).toBeGreaterThan(1400);
  });

  it("is a capability when its answers are no channelz", async () => {
    const [, look] = await scripted({
      [path("GetServers")]: answers.messages(Uint8Array.of(255, 255)),
    });
    expect(await look.run(channelz, job())).toEqual([
      expect.objectContaining({ available: false, reason: "malformed_reply" }),
    ]);
  });

  it("reads names of a megabyte by their beginning: dialects search in them", async () => {
    const name = "L:".repeat(500_000);
    const [, look] = await scripted({
      [path("GetServers")]: servers({
        server: [{ ref: { serverId: 1n }, data: {}, listenSocket: [{ name }] }],
        end: true,
      }),
      [path("GetServerSockets")]: sockets({ socketRef: [{ socketId: 1n }], end: true }),
      [path("GetSocket")]: socket({ socket: { ref: { socketId: 1n, name }, data: {} } }),
    });
    const seen = await cycle(look);
    expect([seen.implementation, seen.server?.listens, seen.sockets[0]?.peer]).toEqual([
      "unknown",
      [],
      "",
    ]);
  });

  it("reads the newest of a trace of megabytes, and of its texts the beginning", async () => {
    const event = (text: string) => ({ description: text, severity: 3 });
    const events = [
      event("oldest"),
      ...Array.from({ length: 2_000 }, () => event("x".repeat(1_000))),
    ];
    const [, look] = await scripted({
      [path("GetServers")]: lone,
      [path("GetServerSockets")]: sockets({ end: true }),
      [path("GetTopChannels")]: topChannels({
        channel: [
          {
            ref: { channelId: 1n },
            data: { target: "a".repeat(65_536), trace: { events: [...events, event("the last")] } },
          },
        ],
        end: true,
      }),
    });
    const [channel] = (await cycle(look)).channels;
    expect([channel?.lastError, channel?.target]).toEqual(["the last", "a".repeat(253)]);
  });

  it("asks for a hundred thousand sockets and ten thousand channels no further than it keeps", async () => {
    const [server, look] = await scripted(vastChannelz({ sockets: 100_000, channels: 10_000 }));
    const seen = await cycle(look, { socketBudget: 4 });
    expect([seen.socketCount, seen.socketsTruncated, seen.channels.length]).toEqual([
      1999,
      true,
      500,
    ]);
    // Two thousand references, and five hundred channels.
    expect([asked(server, "GetServerSockets"), asked(server, "GetTopChannels")]).toEqual([4, 10]);
  });

  it.each([
    [
      "more fields than a page has",
      servers({ server: Array(20_001).fill({}), end: true }),
      "message_too_large",
    ],
    ["a web page", answers.http(200, "text/html", "<html>"), "not_grpc"],
    ["compressed", answers.body(Buffer.from([1, 0, 0, 0, 0])), "malformed_reply"],
    [
      "four gigabytes long, it says",
      answers.body(Buffer.from([0, 255, 255, 255, 255])),
      "message_too_large",
    ],
  ])("is a capability when its answer is %s", async (_sentence, handler, reason) => {
    const [, look] = await scripted({ [path("GetServers")]: handler });
    expect(await look.run(channelz, job())).toEqual([
      expect.objectContaining({ available: false, reason }),
    ]);
  });

  it("is none while a proxy answers in its place with an error", async () => {
    const [, look] = await scripted({
      [path("GetServers")]: answers.http(503, "text/html", "<html>"),
    });
    expect(await look.run(channelz, job())).toEqual([]);
  });
});
