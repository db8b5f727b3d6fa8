import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, it } from "vitest";
import { readWithin, requestHttp } from "../../src/net/http-request.ts";
import { issue } from "../support/certificates.ts";

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, "close"); // waits for every connection: none is left open
  }
});

async function listen<Kind extends Server>(server: Kind): Promise<number> {
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const serve = async (handler: RequestListener) =>
  `http://127.0.0.1:${await listen(createServer(handler))}/a?b=c`;

const never = () => new AbortController().signal;

it("sends what it is told, and takes its connection away with the answer", async () => {
  const seen: unknown[] = [];
  const hear = async (request: IncomingMessage) =>
    seen.push([request.method, request.url, request.headers.connection, await text(request)]);
  const url = await serve((request, response) => {
    void hear(request).then(() => response.writeHead(202).end("taken"));
  });
  const answer = await requestHttp(url, { method: "POST", body: "{}", signal: never() });
  expect([answer.statusCode, await answer.body.text()]).toEqual([202, "taken"]);
  expect(seen).toEqual([["POST", "/a?b=c", "close", "{}"]]);
});

it("rejects for an answer that is none", async () => {
  const url = await serve((_request, response) => {
    response.writeHead(101, { connection: "upgrade", upgrade: "websocket" }).end();
  });
  await expect(requestHttp(url, { signal: never() })).rejects.toMatchObject({
    code: "UND_ERR_SOCKET",
  });
});

it("rejects for a server that hangs up", async () => {
  const url = await serve((request) => request.socket.destroy());
  await expect(requestHttp(url, { signal: never() })).rejects.toMatchObject({
    code: "UND_ERR_SOCKET",
  });
});

it("reads a body that is as long as it may be", async () => {
  const url = await serve((_request, response) => response.end("x".repeat(100)));
  const { body } = await requestHttp(url, { signal: never() });
  expect(await readWithin(body, 100)).toEqual(Buffer.alloc(100, "x"));
});

it("leaves a body that is longer, whether it ends or not", async () => {
  const url = await serve((request, response) => {
    response.write("x".repeat(101));
    if (request.method === "POST") response.end();
  });
  const endless = await requestHttp(url, { signal: never() });
  const ended = await requestHttp(url, { method: "POST", signal: never() });
  expect(await readWithin(endless.body, 100)).toBeUndefined();
  expect(await readWithin(ended.body, 100)).toBeUndefined();
});

it("rejects for a body that breaks off", async () => {
  const url = await serve((_request, response) => {
    response.write("x", () => void response.destroy());
  });
  const { body } = await requestHttp(url, { signal: never() });
  await expect(readWithin(body, 100)).rejects.toThrow("Response does not match the HTTP/1.1");
});

it("speaks TLS to https, and trusts no stranger", async () => {
  const { cert, key } = await issue();
  const port = await listen(createSecureServer({ cert, key }));
  await expect(
    requestHttp(`https://127.0.0.1:${port}/`, { signal: never() }),
  ).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
});
