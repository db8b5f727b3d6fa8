import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import type { JobOf } from "../../src/model/job.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { metrics } from "../../src/sources/metrics.ts";
import { createManualClock, START } from "../support/clock.ts";
import { aTools, observe } from "../support/tools.ts";

let server: Server;

afterEach(async () => {
  server.close();
  await once(server, "close"); // waits for every connection: none is left open
});

async function serve(handler: RequestListener): Promise<string> {
  server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

const base = { source: "metrics", target: "app", at: START };
const job = (url: string): JobOf<"metrics"> => ({
  key: "metrics/app",
  source: "metrics",
  label: "metrics",
  target: "app",
  cadence: { kind: "every", ms: 15_000 },
  deadlineMs: 10_000,
  url,
});
const look = (url: string, signal?: AbortSignal) =>
  observe(
    metrics,
    job(url),
    aTools({ clock: { ...createManualClock(), sleep: systemClock.sleep } }),
    signal,
  );

const unseen = (reason: string) => [
  {
    ...base,
    kind: "capability",
    available: false,
    reason,
    fix: "Correct the target's metrics URL, or let the app expose its metrics there.",
  },
];

it("yields what the app counts, asking as Prometheus does", async () => {
  const asked: unknown[] = [];
  const url = await serve(({ url: path, headers }, response) => {
    asked.push([path, headers.accept, headers.connection]);
    response.end('grpc_server_handled_total{grpc_code="OK",grpc_service="s",grpc_method="M"} 3\n');
  });
  expect(await look(url)).toEqual([
    { ...base, kind: "capability", available: true },
    { ...base, kind: "capability", part: "calls", available: true },
    {
      ...base,
      kind: "scrape",
      families: ["go-grpc-middleware"],
      handledByCode: { OK: 3 },
      durations: {},
      methods: [{ method: "s/M", handledByCode: { OK: 3 } }],
    },
  ]);
  const accept = "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5";
  expect(asked).toEqual([["/metrics", accept, "close"]]);
});

it("says that the calls are not counted, and still tells of the process", async () => {
  const url = await serve((_request, response) => response.end("process_open_fds 9\n"));
  expect(await look(url)).toEqual([
    { ...base, kind: "capability", available: true },
    {
      ...base,
      kind: "capability",
      part: "calls",
      available: false,
      reason: "no family of gRPC metrics that is known",
      fix: "Install go-grpc-middleware's or Micrometer's interceptors, or gRPC's OpenTelemetry plugin (gRFC A66).",
    },
    {
      ...base,
      kind: "scrape",
      families: [],
      handledByCode: {},
      durations: {},
      methods: [],
      openFds: 9,
    },
  ]);
});

it.each([
  ["answers with another status", 404, "the endpoint answers with HTTP 404"],
  ["redirects", 302, "the endpoint answers with HTTP 302"],
  ["answers with something else", 200, "the endpoint sends no Prometheus metrics"],
])("judges nothing of an endpoint that %s", async (_what, status, reason) => {
  const url = await serve((_request, response) => {
    response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("<html></html>");
  });
  expect(await look(url)).toEqual(unseen(reason));
});

it("reads eight mebibytes of an endless endpoint, and hangs up", async () => {
  const url = await serve((_request, response) => {
    const line = 'http_requests_total{path="/orders"} 1\n'.repeat(2_000);
    const fill = () => {
      while (!response.destroyed && response.write(line));
    };
    response.on("drain", fill);
    fill();
  });
  expect(await look(url)).toEqual(unseen("the endpoint sends more than 8 MiB"));
});

it("lets others have their turn while it reads eight mebibytes that are there already", async () => {
  const url = await serve((_request, response) => {
    response.end(Buffer.alloc(7 * 2 ** 20, 'http_requests_total{path="/orders"} 1\n'));
  });
  const turns: number[] = [];
  const sleep = (ms: number, signal?: AbortSignal) => {
    turns.push(ms);
    return systemClock.sleep(ms, signal);
  };
  const tools = aTools({ clock: { ...createManualClock(), sleep } });
  await observe(metrics, job(url), tools);
  expect(turns.length).toBeGreaterThan(50);
});

it("waits for a silent endpoint until its deadline, and no longer", async () => {
  const url = await serve(() => {});
  expect(await look(url, systemClock.deadline(50))).toEqual(
    unseen("the endpoint does not answer in time"),
  );
});

it("says that nobody listens", async () => {
  const url = await serve(() => {});
  server.close();
  await once(server, "close");
  expect(await look(url)).toEqual(unseen("the endpoint cannot be read (ECONNREFUSED)"));
  await serve(() => {});
});
