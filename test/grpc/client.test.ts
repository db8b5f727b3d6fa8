import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { queryObjects } from "node:v8";
import { describe, expect, it } from "vitest";
import { ProbeClient } from "../../src/grpc/client.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { issue } from "../support/certificates.ts";
import { rstStream } from "../support/hostile/frames.ts";
import { startRawServer } from "../support/hostile/raw-server.ts";
import { twoFreePorts } from "../support/ports.ts";
import { aTarget } from "../support/targets.ts";

const timer = setTimeout(() => undefined, 0);
clearTimeout(timer);
/** After a collection. Each channel of grpc-js has several. */
const timersAlive = () => queryObjects(timer.constructor as new () => unknown, { format: "count" });

const call = {
  path: "/order.OrderService/GetOrder",
  requests: [Buffer.alloc(0)],
  metadata: [],
  deadlineMs: 200,
  signal: new AbortController().signal,
};

it("leaves nothing behind of channels that never connected", async () => {
  const [port] = await twoFreePorts();
  const target = aTarget(`127.0.0.1:${port}`);
  const callOnce = async () => {
    const client = new ProbeClient({ target, compression: "identity", clock: systemClock });
    const { error } = await client.call(call);
    client.close();
    return error?.fault.phase;
  };
  expect(await callOnce()).toBe("tcp");
  const before = timersAlive();
  for (let turn = 0; turn < 20; turn++) await callOnce();
  // The deadlines of the calls have passed.
  await systemClock.sleep(400);
  expect(timersAlive() - before).toBeLessThan(20);
});

describe("a server that resets a call with CANCEL", () => {
  const CANCEL = 8;
  const deadlineMs = 60_000;

  async function resetAfter(ms: number) {
    let nowMs = 0;
    const server = await startRawServer({
      call: ({ write }, stream) => {
        nowMs = ms;
        write(rstStream(stream, CANCEL));
      },
    });
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const target = aTarget(server.address);
    const client = new ProbeClient({ target, compression: "identity", clock });
    const { error } = await client.call({ ...call, deadlineMs });
    client.close();
    await server.stop();
    return error?.fault;
  }

  it("before the deadline has cancelled it", async () => {
    expect(await resetAfter(deadlineMs - 1)).toMatchObject({
      status: "CANCELLED",
      reason: "status",
    });
  });

  it("at the deadline kept that by its own timer", async () => {
    expect(await resetAfter(deadlineMs)).toMatchObject({
      status: "DEADLINE_EXCEEDED",
      reason: "deadline",
    });
  });
});

/** Go's servers refuse one with a dot. Source: RFC 6066 section 3. */
it.each([
  ["orders.shop.svc", "orders.shop.svc"],
  ["orders.shop.svc.", "orders.shop.svc"],
  ["orders.shop.svc.:7200", "orders.shop.svc"],
])("of the authority %s sends %s as server name", async (authority, name) => {
  const server = tls.createServer({ ...(await issue()), ALPNProtocols: ["h2"] });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const greeted = once(server, "secureConnection");
  const target = aTarget(`127.0.0.1:${(server.address() as AddressInfo).port}`, { authority });
  const options = { target, tls: {}, compression: "identity", clock: systemClock } as const;
  const client = new ProbeClient(options);
  const called = client.call(call);
  const [socket] = (await greeted) as [TLSSocket & { readonly servername: string | false }];
  socket.on("error", () => {});
  socket.destroy();
  await called;
  client.close();
  server.close();
  expect(socket.servername).toBe(name);
});
