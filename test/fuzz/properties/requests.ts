import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import fc from "fast-check";
import { startAdminServer } from "../../../src/http/admin-server.ts";
import { startListenServer } from "../../../src/http/listen-server.ts";
import { systemClock } from "../../../src/schedule/clock.ts";
import { ask } from "../../http/ask.ts";
import { aReport } from "../../sinks/prometheus-values.ts";
import { anyText, mutated } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const REQUESTS = [
  "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\nAccept-Encoding: gzip\r\n\r\n",
  "POST /-/drill?code=dns-stale HTTP/1.1\r\nHost: 127.0.0.1:19465\r\nContent-Length: 3\r\n\r\nabc",
  "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  "HEAD / HTTP/1.0\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\r\n",
  "GET http://localhost/findings HTTP/1.1\r\nHost: localhost\r\n\r\n",
];
const WORDS = [
  "\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Host: a\r\n",
  "Connection: close\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: h2c\r\n",
  "/../",
  "%2e%2e/",
  "%0d%0a",
  "TRACE ",
  "CONNECT ",
  "HTTP/2.0",
  "\n",
];

/** What is still open when the request has been sent for so long is closed by us. */
const PATIENCE_MS = 60;

/** Any bytes get answers of a status that we know, or none; the listener then serves the next client. */
export const rawRequests = defineProperty({
  name: "raw-requests",
  runs: 8,
  input: fc.record({
    text: fc.oneof(mutated(REQUESTS, WORDS), anyText(60)),
    isAdmin: fc.boolean(),
  }),
  async check({ text, isAdmin }) {
    const orders: string[] = [];
    const failures: unknown[] = [];
    const server = await start(isAdmin, orders, failures);
    try {
      const heard = await speak(server.address.port, text);
      const statuses = [...heard.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => status);
      for (const status of statuses) assert.ok(KNOWN.has(status ?? ""), heard.slice(0, 300));
      assert.deepEqual(failures, []);
      const path = isAdmin ? "/findings" : "/-/healthy";
      assert.equal((await ask(server.address.port, path)).status, 200);
    } finally {
      await server.close();
    }
  },
});

const KNOWN = new Set([
  "100",
  "200",
  "400",
  "403",
  "404",
  "405",
  "408",
  "413",
  "414",
  "417",
  "429",
  "431",
]);

function start(isAdmin: boolean, orders: string[], failures: unknown[]) {
  const address = { host: "127.0.0.1", port: 0 };
  const failed = (thrown: unknown) => void failures.push(thrown);
  const order = (text: string) => {
    orders.push(text);
    return { ok: true, text } as const;
  };
  return isAdmin
    ? startAdminServer({
        address,
        clock: systemClock,
        failed,
        token: () => Promise.resolve(undefined),
        identity: { agent: "1.0.0" },
        findings: () => aReport(),
        snapshot: () => "{}",
        reload: () => Promise.resolve(order("reload")),
        drain: () => order("drain"),
        drill: (code) => order(code),
      })
    : startListenServer({
        address,
        clock: systemClock,
        failed,
        formatOf: () => "text",
        metrics: () => Promise.resolve({ contentType: "text/plain", body: "up 1\n" }),
        ready: () => true,
        targetHealth: () => ({ kind: "stale" }),
        defaultTarget: () => "app",
      });
}

async function speak(port: number, text: string): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  let heard = "";
  socket.on("data", (chunk) => (heard += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(text);
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  await closed;
  clearTimeout(timer);
  return heard;
}
