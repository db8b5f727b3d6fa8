import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, it, vi } from "vitest";
import type { AgentEvent } from "../../src/model/event.ts";
import { findingDocument } from "../../src/model/findings-document.ts";
import type { Clock } from "../../src/model/time.ts";
import { createWebhookSink } from "../../src/sinks/webhook.ts";
import { createManualClock } from "../support/clock.ts";
import { aChange, aFinding } from "./values.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

const never = () => new AbortController().signal;

/** A receiver that answers the statuses in order, then 204, and the sink that posts to it. */
async function start(statuses: readonly number[] = [], manual?: Clock) {
  const left = [...statuses];
  const received: { method: string; type: string; body: string }[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = "", headers } = request;
    received.push({ method, type: headers["content-type"] ?? "", body: await text(request) });
    response.writeHead(left.shift() ?? 204, { location: "http://127.0.0.1:1/" }).end();
  };
  const server = createServer((request, response) => void take(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const events: AgentEvent[] = [];
  const slept: number[] = [];
  const clock: Clock = manual ?? {
    ...createManualClock(),
    // Each wait is over at once; what matters is how long it would have been.
    sleep(ms) {
      slept.push(ms);
      return Promise.resolve();
    },
  };
  let url: string | undefined = `http://127.0.0.1:${port}/hook?key=s3cret`;
  const sink = createWebhookSink({
    url: () => url,
    identity: { agent: "1.0.0", pod: "orders-7d9f" },
    clock,
    event: (event) => events.push(event),
  });
  const move = (to?: string) => {
    url = to;
  };
  return { sink, received, events, slept, move };
}

it("posts each transition, in order", async () => {
  const { sink, received, events } = await start();
  sink.change?.(aChange());
  sink.change?.(aChange({ transition: "resolved", why: "cleared" }));
  await sink.close?.(never());
  const message = {
    schema: "grpc-doctor/v1",
    agent: "1.0.0",
    pod: "orders-7d9f",
    transition: "opened",
    at: "2027-01-15T08:00:00.000Z",
    finding: findingDocument(aFinding()),
  };
  expect(received.map(({ body }) => JSON.parse(body))).toEqual([
    message,
    { ...message, transition: "resolved", why: "cleared" },
  ]);
  expect(received[0]).toMatchObject({ method: "POST", type: "application/json" });
  expect(events).toEqual([]);
});

it("posts nothing where nothing is configured", async () => {
  const { sink, received, move } = await start();
  move();
  sink.change?.(aChange());
  await sink.close?.(never());
  expect(received).toEqual([]);
});

it("tries again, tells the failure once, and the recovery", async () => {
  const { sink, received, events, slept } = await start([500, 503]);
  sink.change?.(aChange());
  await sink.close?.(never());
  expect(received).toHaveLength(3);
  expect(slept).toEqual([1000, 5000]);
  expect(events).toMatchObject([
    { kind: "sink-failed", sink: "webhook", errorText: "the receiver answered 500" },
    { kind: "sink-recovered", sink: "webhook" },
  ]);
});

it("gives a transition up after three tries, and goes on with the next", async () => {
  const { sink, received, events } = await start([500, 500, 500, 204]);
  sink.change?.(aChange());
  sink.change?.(aChange({ transition: "resolved" }));
  await sink.close?.(never());
  expect(received.map(({ body }) => JSON.parse(body).transition)).toEqual([
    "opened",
    "opened",
    "opened",
    "resolved",
  ]);
  expect(events).toMatchObject([
    { kind: "sink-failed" },
    { kind: "sink-dropped", sink: "webhook", count: 1 },
    { kind: "sink-recovered" },
  ]);
});

it("follows no redirect, and never tells the address with its key", async () => {
  const { sink, events } = await start([302]);
  sink.change?.(aChange());
  await sink.close?.(never());
  expect(events).toMatchObject([
    { errorText: "the receiver answered 302" },
    { kind: "sink-recovered" },
  ]);
  expect(JSON.stringify(events)).not.toContain("s3cret");
});

it("tries what waits for its next try once more at the end", async () => {
  const clock = createManualClock();
  const { sink, received, events } = await start([500], clock);
  sink.change?.(aChange());
  await vi.waitUntil(() => clock.pending > 0 && events.length > 0);
  await sink.close?.(never());
  expect(received).toHaveLength(2);
  expect(events).toMatchObject([{ kind: "sink-failed" }, { kind: "sink-recovered" }]);
});

it("refuses what its queue does not hold", async () => {
  const { sink, events } = await start(Array(200).fill(500));
  const fill = () => sink.change?.(aChange());
  for (const _ of Array.from({ length: 100 })) fill();
  expect(fill).toThrow("the queue of transitions is full");
  const gone = new AbortController();
  gone.abort();
  await sink.close?.(gone.signal);
  const dropped = events.filter(({ kind }) => kind === "sink-dropped");
  expect(dropped).toMatchObject([{ count: 1 }, { count: 100 }]);
});

it("ends although the receiver never answers", async () => {
  const silent = createServer(() => undefined);
  servers.push(silent);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { sink, events, move } = await start();
  move(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/`);
  const asked = new Promise((resolve) => silent.once("request", resolve));
  sink.change?.(aChange());
  await asked;
  const gone = new AbortController();
  const closed = sink.close?.(gone.signal);
  gone.abort(new Error("time is up"));
  await closed;
  expect(events).toMatchObject([
    { kind: "sink-failed", errorText: "time is up" },
    { kind: "sink-dropped", sink: "webhook", count: 1 },
  ]);
});
