import process from "node:process";
import { openConnection } from "../../src/grpc/connection.ts";
import { createNameResolver } from "../../src/net/resolve.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { aTarget } from "../support/targets.ts";

/** Times calls over our own connection: `ADDRESS CALLS PAUSE_MS`, one JSON line of milliseconds. */
const [address = "", calls = "100", pauseMs = "20"] = process.argv.slice(2);
const clock = systemClock;
const connection = await openConnection(aTarget(address), {
  clock,
  signal: clock.deadline(5_000),
  resolver: createNameResolver({ clock }),
});

async function once(): Promise<number> {
  const startedMs = clock.monotonicMs();
  await connection.unary({
    path: "/order.OrderService/GetOrder",
    request: new Uint8Array(),
    signal: clock.deadline(5_000),
    timeoutMs: 5_000,
  });
  return clock.monotonicMs() - startedMs;
}

await once(); // what is loaded and made with the first call is none of the others' time
const took: number[] = [];
for (let left = Number(calls); left > 0; left--) {
  await clock.sleep(Number(pauseMs));
  took.push(await once());
}
process.stdout.write(`${JSON.stringify(took)}\n`);
connection.close();
