import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startServer } from "../../src/http/server.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { ask } from "./ask.ts";

/** Of the 64 connections that both listeners hold; each sends a byte of its headers now and then. */
const DAWDLERS = 60;
const EVERY_MS = 250;

it("hangs up on who sends headers byte by byte, and answers others meanwhile", {
  timeout: 60_000,
}, async () => {
  const server = await startServer({
    address: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    answer: () => Promise.resolve({ status: 200, contentType: "text/plain", body: "fine\n" }),
    failed: () => undefined,
  });
  onTestFinished(() => server.close());
  const { port } = server.address;
  const dawdlers = await Promise.all(Array.from({ length: DAWDLERS }, () => dawdle(port)));

  expect((await ask(port, "/livez")).status).toBe(200);
  const told = await Promise.all(dawdlers.map(({ heard }) => heard));
  expect(told.filter((text) => !text.startsWith("HTTP/1.1 408 "))).toEqual([]);
});

/** Resolves, when the connection is there, with what is heard until it is closed. */
async function dawdle(port: number): Promise<{ readonly heard: Promise<string> }> {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  return { heard: heardBy(socket) };
}

async function heardBy(socket: Socket): Promise<string> {
  let heard = "";
  socket.on("data", (chunk) => (heard += String(chunk)));
  socket.on("error", () => undefined); // it was hung up on
  socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  const timer = setInterval(() => socket.write("a"), EVERY_MS);
  await once(socket, "close");
  clearInterval(timer);
  return heard;
}
