import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import type { Clock } from "../../src/model/time.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { issue, issueCa, writeFiles } from "../support/certificates.ts";
import { refusingPort, startFaultyServer } from "../support/faulty-server.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { runLine } from "./run-line.ts";

let plain: GrpcServer;
let secure: GrpcServer;
let files: Awaited<ReturnType<typeof writeFiles<"ca" | "other" | "key">>>;

beforeAll(async () => {
  const [ca, other] = await Promise.all([issueCa(), issueCa({ name: "another" })]);
  const leaf = await issue({ issuer: ca, dns: ["orders.test"], ip: ["127.0.0.1"] });
  const pair = { cert_chain: Buffer.from(leaf.cert), private_key: Buffer.from(leaf.key) };
  files = await writeFiles({ ca: ca.cert, other: other.cert, key: leaf.key });
  plain = await startGrpcServer({ health: { "": "SERVING", sick: "NOT_SERVING" } });
  secure = await startGrpcServer({ credentials: grpc.ServerCredentials.createSsl(null, [pair]) });
});
afterAll(async () => {
  await Promise.all([plain.stop(), secure.stop(), files.remove()]);
});

it.each([
  ["an argument", (address: string) => ["health", address]],
  [
    "-addr",
    (address: string) => [
      "health",
      `-addr=${address}`,
      "-connect-timeout",
      "3s",
      "--rpc-timeout=3s",
    ],
  ],
])("prints the status and exits 0, given %s", async (_how, line) => {
  const outcome = await runLine(line(plain.address));
  expect(outcome).toEqual({ exit: 0, stdout: "status: SERVING\n", stderr: "" });
});

it("exits 4 when the service is not serving", async () => {
  const outcome = await runLine(["health", plain.address, "-service", "sick"]);
  expect(outcome).toEqual({ exit: 4, stdout: "status: NOT_SERVING\n", stderr: "" });
});

it("exits 3 when the call fails", async () => {
  const { exit, stdout, stderr } = await runLine(["health", plain.address, "-service", "nobody"]);
  expect({ exit, stdout }).toEqual({ exit: 3, stdout: "" });
  expect(stderr).toMatch(
    /^error: health rpc failed: rpc: the server answered with an error \(NOT_FOUND/,
  );
});

it("exits 2 when nothing listens", async () => {
  const { port, release } = await refusingPort();
  const outcome = await runLine(["health", `127.0.0.1:${port}`, "-connect-timeout=150ms"]);
  await release();
  const stderr = `error: no connection to 127.0.0.1:${port}: tcp: nothing listens there (ECONNREFUSED)\n`;
  expect(outcome).toEqual({ exit: 2, stdout: "", stderr });
});

it("waits for a server that is not there yet, as long as -connect-timeout allows", async () => {
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const bind = `unix:${join(folder, "app.sock")}`;
  let outcome: ReturnType<typeof runLine> | undefined;
  await new Promise<void>((refused) => {
    const sleep: Clock["sleep"] = (ms, signal) => {
      refused();
      return systemClock.sleep(ms, signal);
    };
    outcome = runLine(["health", bind, "-connect-timeout=60s"], {
      clock: { ...systemClock, sleep },
    });
  });
  const late = await startGrpcServer({ bind });
  onTestFinished(late.stop);
  expect(await outcome).toEqual({ exit: 0, stdout: "status: SERVING\n", stderr: "" });
});

it("prints its version", async () => {
  const outcome = await runLine("health -version");
  expect(outcome).toEqual({ exit: 0, stdout: "grpc-doctor 1.2.3\n", stderr: "" });
});

it.each([
  ["is not there", () => "/none/ca.pem", "ENOENT"],
  ["is no certificate", () => files.paths.key, "no PEM"],
])("exits 1 for a bundle that %s", async (_what, path, why) => {
  const outcome = await runLine(["health", secure.address, "-tls", "-tls-ca-cert", path()]);
  expect({ exit: outcome.exit, first: outcome.stderr.split("\n")[0] }).toEqual({
    exit: 1,
    first: `grpc-doctor health: cannot use ${path()} (${why})`,
  });
});

it("sends headers and the user agent, and tells times with -v", async () => {
  const outcome = await runLine([
    "health",
    plain.address,
    "-v",
    "-rpc-header",
    "X-Tenant: blue",
    "-user-agent",
    "me/1",
  ]);
  expect(outcome.exit).toBe(0);
  expect(outcome.stderr).toMatch(/^connected in [\d.]+ ms\nanswered in [\d.]+ ms\n$/);
});

it.each([
  ["health", "-addr not specified"],
  ["health a:1 -addr b:1", "either -addr or ADDR, not both"],
  ["health localhost", "-addr takes localhost:port (the port is needed), not localhost"],
  ["health a:1 -connect-timeout 0s", "-connect-timeout must be greater than zero, as 500ms or 2s"],
  ["health a:1 -rpc-timeout 5", "-rpc-timeout must be greater than zero, as 500ms or 2s"],
  ["health a:1 -tls-ca-cert x", "specified -tls-ca-cert without specifying -tls"],
  ["health a:1 -tls-no-verify", "specified -tls-no-verify without specifying -tls"],
  [
    "health a:1 -tls -tls-no-verify -tls-ca-cert x",
    "cannot specify -tls-ca-cert with -tls-no-verify (it would not be used)",
  ],
  ["health a:1 -tls -tls-client-cert x", "specify both -tls-client-cert and -tls-client-key"],
  ["health a:1 -spiffe", "unknown flag --spiffe"],
])("exits 1 for %s", async (line, message) => {
  const outcome = await runLine(line);
  expect({ exit: outcome.exit, first: outcome.stderr.split("\n")[0] }).toEqual({
    exit: 1,
    first: `grpc-doctor health: ${message}`,
  });
});

it.each([
  ["the bundle and the address", () => ["-tls-ca-cert", files.paths.ca]],
  [
    "the bundle and another name",
    () => ["-tls-ca-cert", files.paths.ca, "-tls-server-name=orders.test"],
  ],
  ["no verification", () => ["-tls-no-verify"]],
])("asks over TLS with %s", async (_how, flags) => {
  const outcome = await runLine(["health", secure.address, "-tls", ...flags()]);
  expect(outcome).toEqual({ exit: 0, stdout: "status: SERVING\n", stderr: "" });
});

it.each([
  [
    "a strange issuer",
    () => ["-tls-ca-cert", files.paths.other],
    "tls: the certificate's issuer is not trusted",
  ],
  [
    "another name",
    () => ["-tls-ca-cert", files.paths.ca, "-tls-server-name", "shop.test"],
    "tls: the certificate does not cover the name",
  ],
])("exits 2 over TLS with %s", async (_how, flags, why) => {
  const outcome = await runLine(["health", secure.address, "-tls", ...flags()]);
  expect(outcome).toEqual({
    exit: 2,
    stdout: "",
    stderr: `error: no connection to ${secure.address}: ${why}\n`,
  });
});

it("takes no server that did not select HTTP/2 by ALPN, as grpc_health_probe", async () => {
  const tls = { ...(await issue({ ip: ["127.0.0.1"] })), alpn: "none" } as const;
  const server = await startFaultyServer({ tls });
  onTestFinished(() => server.stop());
  const outcome = await runLine(["health", server.address, "-tls", "-tls-no-verify"]);
  expect(outcome).toEqual({
    exit: 2,
    stdout: "",
    stderr: `error: no connection to ${server.address}: tls: the server does not select h2 by ALPN\n`,
  });
});

it("does not speak TLS to a server of plaintext", async () => {
  const { exit, stderr } = await runLine(["health", plain.address, "-tls", "-tls-no-verify"]);
  expect({ exit, stderr }).toMatchObject({ exit: 2 });
  expect(stderr).toContain("the server speaks plaintext, TLS was expected");
});

it("trusts the system's bundle by default", async () => {
  const environment = { SSL_CERT_FILE: files.paths.ca };
  expect((await runLine(["health", secure.address, "-tls"], { environment })).exit).toBe(0);
});
