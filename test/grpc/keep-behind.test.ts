import http2 from "node:http2";
import { expect, it, onTestFinished } from "vitest";
import { keepBehind } from "../../src/grpc/keep-behind.ts";
import { continuation, fields, GRPC_HEADERS, headers } from "../support/hostile/frames.ts";
import { startRawServer } from "../support/hostile/raw-server.ts";

const SESSIONS = 150;
const CALLS = 3;
const FIELDS = fields(Array.from({ length: 20 }, (_, at) => [`x-${at}`, "v".repeat(100)] as const));

/** So much that the young generation is collected. */
function makeGarbage(): number {
  return Array.from({ length: 200_000 }, (_, at) => ({ at })).length;
}

/** Some calls whose headers begin and never end, destroyed with their session. */
async function callAndDestroy(address: string): Promise<void> {
  const session = http2.connect(`http://${address}`);
  session.on("error", () => {});
  await new Promise((resolve) => session.once("connect", resolve));
  for (let at = 0; at < CALLS; at++) {
    const stream = session.request({ ":path": "/order.OrderService/GetOrder" });
    stream.on("error", () => {});
    keepBehind(stream, session);
  }
  // Until the fields have been read; nothing tells of a block that has not ended.
  await new Promise((resolve) => setTimeout(resolve, 8));
  session.destroy();
}

/** Without `keepBehind` Node 20 ends this very process within a few collections. */
it("survives header blocks that never ended, collected with their session", async () => {
  const server = await startRawServer({
    call: (client, stream) =>
      client.write(headers(stream, GRPC_HEADERS, 0), continuation(stream, FIELDS)),
  });
  onTestFinished(() => server.stop());
  for (let at = 0; at < SESSIONS; at++) {
    await callAndDestroy(server.address);
    if (at % 5 === 0) makeGarbage();
  }
  expect(server.accepted).toBe(SESSIONS);
});
