import { afterEach, expect, it } from "vitest";
import { readChannelzTree } from "../../src/grpc/channelz-tree.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { aLook } from "../support/look.ts";

const ending: (() => Promise<void>)[] = [];
const signal = AbortSignal.timeout(10_000);

afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

it("shows every server of the process with its connections, ours included", async () => {
  const [server, other] = [await startGrpcServer(), await startGrpcServer()];
  const look = aLook(server.target());
  ending.push(look.close, server.stop, other.stop);
  const connection = await look.connection();
  const tree = await readChannelzTree(connection, { clock: systemClock, signal });
  expect(tree).toMatchObject({
    implementation: "grpc-js",
    servers: [
      {
        totals: { listens: [server.address] },
        sockets: [{ peer: "127.0.0.1", peerPort: connection.localPort }],
        socketCount: 1,
        truncated: false,
      },
      { totals: { listens: [other.address] }, sockets: [], socketCount: 0, truncated: false },
    ],
    channels: [],
  });
});

it("throws the server's refusal", async () => {
  const server = await startGrpcServer({ channelz: false });
  const look = aLook(server.target());
  ending.push(look.close, server.stop);
  const connection = await look.connection();
  await expect(readChannelzTree(connection, { clock: systemClock, signal })).rejects.toMatchObject({
    isCapability: true,
  });
});
