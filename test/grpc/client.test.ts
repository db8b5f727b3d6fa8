import { queryObjects } from "node:v8";
import { expect, it } from "vitest";
import { ProbeClient } from "../../src/grpc/client.ts";
import { systemClock } from "../../src/schedule/clock.ts";
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
