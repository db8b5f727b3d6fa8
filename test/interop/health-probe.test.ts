import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issue, issueCa, writeFiles } from "../support/certificates.ts";
import { answers, refusingPort, startFaultyServer } from "../support/faulty-server.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { MAIN } from "../support/running-agent.ts";
import { peerBinary } from "./peer.ts";
import { addressOf, aServer, type Stage } from "./scene.ts";

/**
 * `grpc-doctor health` takes the place of grpc_health_probe in a script: on each of these servers both
 * are run with one and the same command line, and exit with one and the same code.
 */
const LINES = {
  ours: [process.execPath, MAIN, "health"],
  theirs: [peerBinary("grpc-health-probe")],
} as const;
/** Patient with a machine that is full, but for what is to run out. */
const PATIENT = ["-connect-timeout=20s", "-rpc-timeout=20s"];
const HASTY = ["-connect-timeout=2s", "-rpc-timeout=2s"];

const SERVING = 0;
const WRONG_CALL = 1;
const NO_CONNECTION = 2;
const RPC_FAILED = 3;
const NOT_SERVING = 4;

let files: Awaited<ReturnType<typeof issueFiles>>;
beforeAll(async () => {
  files = await issueFiles();
});
afterAll(() => files.remove());

async function issueFiles() {
  const [ca, other] = await Promise.all([issueCa(), issueCa({ name: "another" })]);
  const orders = { issuer: ca, dns: ["orders.test"], ip: ["127.0.0.1"] };
  const [leaf, expired, client] = await Promise.all([
    issue(orders),
    issue({ ...orders, fromDays: -9, toDays: -1 }),
    issue({ issuer: ca, name: "client" }),
  ]);
  return writeFiles({
    ca: ca.cert,
    other: other.cert,
    cert: leaf.cert,
    key: leaf.key,
    expiredCert: expired.cert,
    expiredKey: expired.key,
    clientCert: client.cert,
    clientKey: client.key,
  });
}

/** What is asked, and how: where the server is, and the flags beside. */
type Question = readonly [address: string, ...flags: readonly string[]];
type Ask = (stage: Stage) => Promise<Question>;

const trusted = () => ["-tls", `-tls-ca-cert=${files.paths.ca}`];
const withPair = () => [
  `-tls-client-cert=${files.paths.clientCert}`,
  `-tls-client-key=${files.paths.clientKey}`,
];

/** A server of grpc-go, told to be so, and asked with these flags. */
const ofGo =
  (
    flags: () => readonly string[],
    asked: () => readonly string[],
    told: readonly string[] = [],
  ): Ask =>
  async (stage) => {
    const server = await aServer(stage, "go", flags());
    for (const line of told) await server.command(line);
    return [addressOf(server), ...asked()];
  };
const none = () => [];
const overTls = () => ["--cert", files.paths.cert, "--key", files.paths.key];
const expired = () => ["--cert", files.paths.expiredCert, "--key", files.paths.expiredKey];
const mutual = () => [...overTls(), "--client-ca", files.paths.ca];

/** A server that misbehaves. */
const ofFaults =
  (options: Parameters<typeof startFaultyServer>[0], asked: readonly string[] = []): Ask =>
  async (stage) => {
    const server = await startFaultyServer(options);
    stage.onTestFinished(() => server.crash());
    return [server.address, ...asked];
  };
const answering = (fallback: ReturnType<typeof answers.http>, asked?: readonly string[]) =>
  ofFaults({ fallback }, asked);

/** HTTP/2 without a word of it in the handshake. */
const withoutAlpn: Ask = async (stage) => {
  const [cert, key] = await Promise.all([
    readFile(files.paths.cert, "utf8"),
    readFile(files.paths.key, "utf8"),
  ]);
  return ofFaults({ tls: { cert, key, alpn: "none" } }, [...trusted(), ...HASTY])(stage);
};

const onSocket: Ask = async (stage) => {
  const folder = await mkdtemp(join(tmpdir(), "grpc-doctor-"));
  const bind = `unix:${join(folder, "app.sock")}`;
  const server = await startGrpcServer({ bind });
  stage.onTestFinished(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  return [bind];
};

const refused: Ask = async (stage) => {
  const { port, release } = await refusingPort();
  stage.onTestFinished(release);
  return [`127.0.0.1:${port}`, ...HASTY];
};

/** Its kernel goes on to accept. */
const frozen: Ask = async (stage) => {
  const server = await aServer(stage, "go");
  server.signal("SIGSTOP");
  stage.onTestFinished(async () => server.signal("SIGCONT"));
  return [addressOf(server), ...HASTY];
};

const PAGE = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
const proxyPage = answers.http(502, "text/html", "<h1>Bad Gateway</h1>");

const SERVERS: readonly (readonly [what: string, exit: number, ask: Ask])[] = [
  ["SERVING", SERVING, ofGo(none, none)],
  ["SERVING, one service", SERVING, ofGo(none, () => ["-service=order.OrderService"])],
  ["SERVING, on a unix socket", SERVING, onSocket],
  ["SERVING, on IPv6", SERVING, ofGo(() => ["--listen", "[::1]:0"], none)],
  ["NOT_SERVING", NOT_SERVING, ofGo(none, none, ["health NOT_SERVING"])],
  ["UNKNOWN", NOT_SERVING, ofGo(none, none, ["health UNKNOWN"])],
  ["a service that it does not know", RPC_FAILED, ofGo(none, () => ["-service=nobody"])],
  ["no health service", RPC_FAILED, ofGo(() => ["--health=false"], none)],
  ["nobody listens", NO_CONNECTION, refused],
  ["accepts, and never says a byte", NO_CONNECTION, ofFaults({ accept: "mute" }, HASTY)],
  ["stands still", NO_CONNECTION, frozen],
  ["closes each connection", NO_CONNECTION, ofFaults({ accept: "close" }, HASTY)],
  ["resets each connection", NO_CONNECTION, ofFaults({ accept: "reset" }, HASTY)],
  ["HTTP/1.1", NO_CONNECTION, ofFaults({ accept: { bytes: PAGE } }, HASTY)],
  ["health that never answers", RPC_FAILED, answering(answers.silence(), HASTY)],
  ["health that is refused", RPC_FAILED, answering(answers.status(16, "no token"))],
  ["a proxy's page", RPC_FAILED, answering(proxyPage)],
  ["a stream that is reset", RPC_FAILED, answering(answers.reset(2))],
  ["TLS", SERVING, ofGo(overTls, trusted)],
  [
    "TLS, by its name",
    SERVING,
    ofGo(overTls, () => [...trusted(), "-tls-server-name=orders.test"]),
  ],
  ["TLS, unverified", SERVING, ofGo(overTls, () => ["-tls", "-tls-no-verify"])],
  [
    "TLS, another name",
    NO_CONNECTION,
    ofGo(overTls, () => [...trusted(), "-tls-server-name=payments.test", ...HASTY]),
  ],
  [
    "TLS, another authority",
    NO_CONNECTION,
    ofGo(overTls, () => ["-tls", `-tls-ca-cert=${files.paths.other}`, ...HASTY]),
  ],
  ["TLS, expired", NO_CONNECTION, ofGo(expired, () => [...trusted(), ...HASTY])],
  ["TLS, without ALPN", NO_CONNECTION, withoutAlpn],
  ["TLS, asked in plaintext", NO_CONNECTION, ofGo(overTls, () => HASTY)],
  ["plaintext, asked over TLS", NO_CONNECTION, ofGo(none, () => [...trusted(), ...HASTY])],
  ["mutual TLS", SERVING, ofGo(mutual, () => [...trusted(), ...withPair()])],
  ["mutual TLS, no certificate", NO_CONNECTION, ofGo(mutual, () => [...trusted(), ...HASTY])],
  ["a bundle that is not there", WRONG_CALL, ofGo(none, () => ["-tls", "-tls-ca-cert=/none"])],
  ["half a pair", WRONG_CALL, ofGo(none, () => ["-tls", "-tls-client-cert=/none"])],
  ["no time at all", WRONG_CALL, ofGo(none, () => ["-connect-timeout=0s"])],
];

describe.concurrent("health and grpc_health_probe exit alike", () => {
  it.for(SERVERS)("%s: %i", { timeout: 120_000 }, async ([_what, exit, ask], stage) => {
    const [address, ...flags] = await ask(stage);
    const asked = [`-addr=${address}`, ...PATIENT, ...flags];
    const [ours, theirs] = await Promise.all([
      exitOf([...LINES.ours, ...asked]),
      exitOf([...LINES.theirs, ...asked]),
    ]);
    expect({ ours, theirs }).toEqual({ ours: exit, theirs: exit });
  });
});

function exitOf([file = "", ...words]: readonly string[]): Promise<number | null> {
  return new Promise((resolve) => {
    const child = execFile(file, words, () => resolve(child.exitCode));
  });
}
