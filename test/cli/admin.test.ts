import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { findingsDocument } from "../../src/model/findings-document.ts";
import { AT, aFinding, aReport } from "./a-report.ts";
import { runLine } from "./run-line.ts";

const open = new Set<() => Promise<void>>();
afterEach(async () => {
  await Promise.all([...open].map((close) => close()));
  open.clear();
});

/** An admin listener that answers the same to everything, and what it was asked. */
async function admin(status: number, body: string) {
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.push(
      [request.method, request.url, request.headers.authorization ?? "no token"].join(" "),
    );
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.add(() => new Promise((resolve) => server.close(() => resolve())));
  return { asked, flag: `--admin 127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const document = (active = [aFinding()]) =>
  JSON.stringify(
    findingsDocument(
      aReport({ active, recent: [{ ...aFinding({ code: "deadline-storm" }), resolvedAt: AT }] }),
      { agent: "1.2.3" },
    ),
  );

it("shows what a running agent sees, and exits 1 for a critical finding", async () => {
  const { asked, flag } = await admin(200, document());
  const { exit, stdout } = await runLine(`status ${flag}`);
  await expect(stdout).toMatchFileSnapshot("golden/status-sick.txt");
  expect({ exit, asked }).toEqual({ exit: 1, asked: ["GET /findings no token"] });
});

it("passes the document on, and exits 0 when nothing is active", async () => {
  const { flag } = await admin(200, document([]));
  const { exit, stdout } = await runLine(`status -o json ${flag}`);
  expect({ exit, document: JSON.parse(stdout) }).toEqual({
    exit: 0,
    document: JSON.parse(document([])),
  });
});

it("gives the token of a file, and says what the order did", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "grpc-doctor-")), "token");
  writeFileSync(file, "s3cret\n");
  const { asked, flag } = await admin(200, '{ "ok": true, "text": "the agent has let go" }');
  expect(await runLine(`drain ${flag} --token-file ${file}`)).toEqual({
    exit: 0,
    stdout: "the agent has let go\n",
    stderr: "",
  });
  expect(asked).toEqual(["POST /-/drain Bearer s3cret"]);
});

it("raises a drill", async () => {
  const { asked, flag } = await admin(200, '{ "ok": true, "text": "a false dns-stale was sent" }');
  const { exit, stderr } = await runLine(`drill dns-stale --target app ${flag}`);
  expect({ exit, asked, stderr }).toEqual({
    exit: 0,
    asked: ["POST /-/drill?code=dns-stale&target=app no token"],
    stderr: "a false dns-stale was sent\n",
  });
});

it.each([
  ["status", 200, "<html>", "grpc-doctor: what answered is no agent (HTTP 200)\n"],
  ["status", 200, '{ "schema": "other" }', "grpc-doctor: what answered is no agent (HTTP 200)\n"],
  ["status", 401, "", "grpc-doctor: what answered is no agent (HTTP 401)\n"],
  ["drain", 500, "", "grpc-doctor: the agent refused: HTTP 500\n"],
  ["drill dns-stale", 404, "null", "grpc-doctor: the agent refused: HTTP 404\n"],
  ["drill dns-stale", 404, '{ "faults": 7 }', "grpc-doctor: the agent refused: HTTP 404\n"],
  [
    "drill dns-stale",
    400,
    '{ "ok": false, "faults": ["dns-stale is off on app"] }',
    "grpc-doctor: the agent refused: dns-stale is off on app\n",
  ],
])("exits 1 when %s is answered with %i %j", async (line, status, body, stderr) => {
  const { flag } = await admin(status, body);
  expect(await runLine(`${line} ${flag}`)).toEqual({ exit: 1, stdout: "", stderr });
});

it.each(["status", "drain", "drill dns-stale"])("exits 1 when nobody answers %s", async (line) => {
  const { flag } = await admin(200, "");
  await Promise.all([...open].map((close) => close()));
  open.clear();
  const { exit, stderr } = await runLine(`${line} ${flag}`);
  expect({ exit, stderr }).toEqual({
    exit: 1,
    stderr: `grpc-doctor: no agent answers at ${flag.slice(8)} (ECONNREFUSED)\n`,
  });
});

it.each([
  [
    "status --admin nowhere",
    "status: --admin takes :port, ipv4:port, [ipv6]:port or localhost:port, with a port up to 65535, not nowhere",
  ],
  ["status --token-file /none", "status: /none cannot be read"],
  ["drill dns-stael", 'drill: "dns-stael" is no code (did you mean dns-stale?)'],
])("refuses %s", async (line, message) => {
  const outcome = await runLine(line);
  expect(outcome.exit).toBe(2);
  expect(outcome.stderr.split("\n")[0]).toBe(`grpc-doctor ${message}`);
});
