import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { tlsClientCertRejected } from "../../src/detectors/tls-client-cert-rejected.ts";
import { type XrayOptions, xray } from "../../src/grpc/xray.ts";
import type { Target } from "../../src/model/target.ts";
import type { LookAt, XrayReport } from "../../src/model/xray.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { bundle, type Issued, issue, issueCa, writeFiles } from "../support/certificates.ts";
import {
  answers,
  type FaultyServer,
  type FaultyServerOptions,
  refusingPort,
  startFaultyServer,
} from "../support/faulty-server.ts";
import { anExpectation, anXray, judge } from "../support/snapshot.ts";
import { aResolver, aTarget } from "../support/targets.ts";

const PATH = "/grpc.health.v1.Health/Check";
const PLAINTEXT = { tls: { mode: "plaintext" } } as const;
const NAME = "orders.shop.svc";
const ms = expect.any(Number);

let ca: Issued;
let otherCa: Issued;
let intermediate: Issued;
let leaf: Issued;
let client: Issued;
let files: Readonly<
  Record<"ca" | "otherCa" | "cert" | "key" | "strangerCert" | "strangerKey", string>
>;

beforeAll(async () => {
  ca = await issueCa();
  otherCa = await issueCa({ name: "other ca" });
  intermediate = await issueCa({ name: "intermediate", issuer: ca });
  leaf = await issue({ name: "leaf", issuer: intermediate, dns: [NAME] });
  client = await issue({ name: "client", issuer: ca, usage: ["client"] });
  const stranger = await issue({ name: "stranger", issuer: otherCa, usage: ["client"] });
  const written = await writeFiles({
    ca: ca.cert,
    otherCa: otherCa.cert,
    cert: client.cert,
    key: client.key,
    strangerCert: stranger.cert,
    strangerKey: stranger.key,
  });
  files = written.paths;
  return written.remove;
});

let cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  const all = cleanUps.toReversed();
  cleanUps = [];
  for (const cleanUp of all) await cleanUp();
});

async function serve(options: FaultyServerOptions = {}): Promise<FaultyServer> {
  const server = await startFaultyServer(options);
  cleanUps.push(() => server.stop());
  return server;
}

function look(
  address: string,
  stated: Partial<Target> = {},
  options: Partial<XrayOptions> = {},
): Promise<XrayReport> {
  return xray(aTarget(address, stated), {
    clock: systemClock,
    signal: systemClock.deadline(10_000),
    resolver: aResolver(),
    settingsTimeoutMs: 1_000,
    sniffTimeoutMs: 300,
    ...options,
  });
}

/** How servers of TLS are usually set up here: the leaf and its intermediate. */
function secured(more: Partial<NonNullable<FaultyServerOptions["tls"]>> = {}) {
  return { tls: { cert: bundle(leaf, intermediate), key: leaf.key, ...more } };
}

const trusting = () => ({ authority: NAME, tls: { mode: "tls", ca: files.ca } }) as const;

describe("an X-ray passes", () => {
  test("a plaintext server, phase by phase, and leaves no complaint", async () => {
    const server = await serve({ settings: { maxConcurrentStreams: 100 } });
    const report = await look(server.address, PLAINTEXT);

    expect(report).toEqual({
      at: ms,
      outcome: "passed",
      phaseMs: { tcp: ms, http2: ms, rpc: ms },
      dials: [
        { at: ms, address: server.address, family: "ipv4", outcome: "connected", connectMs: ms },
      ],
      localPort: ms,
      spoke: "plaintext",
      settings: { maxConcurrentStreams: 100, initialWindowSize: 65535, maxFrameSize: 16384 },
      rpc: {
        path: PATH,
        httpStatus: 200,
        contentType: "application/grpc",
        dateAt: expect.any(Number),
        grpcStatus: 0,
      },
      pingMs: ms,
    });
    await expect.poll(() => server.open).toBe(0);
    expect(server.complaints).toEqual([]);
    expect(server.accepted).toBe(1);
  });

  test("a TLS server by a name that ends in a dot, without that", async () => {
    const server = await serve(secured());
    const report = await look(server.address, { ...trusting(), authority: `${NAME}.` });

    expect(report).toMatchObject({ outcome: "passed", tls: { coversAuthority: true } });
    expect(report.tls?.serverName).toBe(NAME);
  });

  test("a TLS server, with every fact of its chain", async () => {
    const server = await serve(secured());
    const report = await look(server.address, trusting());

    expect(report).toMatchObject({ outcome: "passed", spoke: "tls", phaseMs: { tls: ms } });
    expect(report.tls).toEqual({
      version: "TLSv1.3",
      cipher: expect.any(String),
      offeredAlpn: ["h2"],
      selectedAlpn: "h2",
      serverName: NAME,
      chain: [
        {
          fingerprint: leaf.fingerprint,
          subject: "CN=leaf",
          issuer: "CN=intermediate",
          notBefore: leaf.notBefore,
          notAfter: leaf.notAfter,
          isSelfSigned: false,
          isCa: false,
        },
        expect.objectContaining({ fingerprint: intermediate.fingerprint, isCa: true }),
      ],
      sentCertificates: 2,
      sans: [NAME],
      hasSans: true,
      leafKeyType: "ec",
      coversAuthority: true,
      path: "ok",
      pathFailsByDate: false,
      bundleCertificates: 1,
      clientCertificateAsked: false,
      clientCertificateSent: false,
    });
    expect(server.complaints).toEqual([]);
  });

  test("a server that demands our client certificate", async () => {
    const server = await serve(secured({ clientCa: ca.cert }));
    const { cert, key } = files;
    const report = await look(server.address, {
      ...trusting(),
      tls: { mode: "tls", ca: files.ca, cert, key },
    });

    expect(report.outcome).toBe("passed");
    expect(report.tls).toMatchObject({
      clientCertificateAsked: true,
      clientCertificateSent: true,
      clientCertificate: {
        fingerprint: client.fingerprint,
        issuer: "CN=test ca",
        notAfter: client.notAfter,
      },
    });
  });

  test("a TLS server that nobody announced, guessing once and remembering", async () => {
    const server = await serve(secured());
    const first = await look(server.address);
    const guesses = server.complaints.length;
    const second = await look(server.address, {}, { lastSpoke: "tls" });

    expect(first).toMatchObject({ outcome: "passed", spoke: "tls" });
    expect(first).not.toHaveProperty("silence");
    expect(first.tls).not.toHaveProperty("path");
    expect(first.tls).not.toHaveProperty("coversAuthority");
    expect(second).toMatchObject({ outcome: "passed", spoke: "tls" });
    expect([guesses, server.complaints.length]).toEqual([1, 1]);
  });

  test("a plaintext server that was TLS before", async () => {
    const server = await serve();
    const report = await look(server.address, {}, { lastSpoke: "tls" });

    expect(report).toMatchObject({ outcome: "passed", spoke: "plaintext" });
    expect(report).not.toHaveProperty("tls");
  });

  test("a name of several addresses: the first that takes us is used, the others are told", async () => {
    const server = await serve({ host: "127.0.0.3" });
    const target = { ...aTarget(`many.test:${server.port}`), ...PLAINTEXT };
    const resolver = aResolver({ "many.test": ["127.0.0.2", "127.0.0.3", "127.0.0.4"] });
    const some = await look(target.address, target, { resolver });
    const all = await look(target.address, target, { resolver, everyAddress: true });

    expect(some.dials.map((dial) => [dial.address, dial.outcome])).toEqual([
      [`127.0.0.2:${server.port}`, "refused"],
      [`127.0.0.3:${server.port}`, "connected"],
    ]);
    expect(all.dials.map((dial) => [dial.address, dial.outcome])).toEqual([
      [`127.0.0.2:${server.port}`, "refused"],
      [`127.0.0.4:${server.port}`, "refused"],
      [`127.0.0.3:${server.port}`, "connected"],
    ]);
    expect(all).toMatchObject({ outcome: "passed", phaseMs: { dns: ms } });
  });

  test("a name of several addresses: the one that is asked for again, or the next after it", async () => {
    const first = await serve({ host: "127.0.0.3" });
    const second = await serve({ host: "127.0.0.4", port: first.port });
    const target = { ...aTarget(`many.test:${second.port}`), ...PLAINTEXT };
    const resolver = aResolver({ "many.test": ["127.0.0.2", "127.0.0.3", "127.0.0.4"] });
    const usedBy = async (last: string, isNext: boolean) => {
      const lookAt = { last: `${last}:${second.port}`, isNext, dialled: [] };
      const options = { resolver, everyAddress: true, lookAt };
      return (await look(target.address, target, options)).dials.at(-1)?.address.split(":")[0];
    };

    expect(await usedBy("127.0.0.3", false)).toBe("127.0.0.3");
    expect(await usedBy("127.0.0.4", false)).toBe("127.0.0.4");
    expect(await usedBy("127.0.0.3", true)).toBe("127.0.0.4");
    expect(await usedBy("127.0.0.4", true)).toBe("127.0.0.3");
    expect(await usedBy("127.0.0.2", false)).toBe("127.0.0.3");
    expect(await usedBy("127.0.0.2", true)).toBe("127.0.0.3");
  });

  test("a name of several addresses: that one stands in for the one that is asked for again", async () => {
    const { port } = await serve({ host: "127.0.0.3" });
    const target = { ...aTarget(`many.test:${port}`), ...PLAINTEXT };
    const resolver = aResolver({ "many.test": ["127.0.0.2", "127.0.0.3", "127.0.0.4"] });
    const missed = async (last: string, isNext: boolean, everyAddress = true) => {
      const asked = `${last}:${port}`;
      const lookAt = { last: asked, isNext, dialled: [asked] };
      return (await look(target.address, target, { resolver, everyAddress, lookAt })).insteadOf;
    };

    expect(await missed("127.0.0.3", false)).toBeUndefined();
    expect(await missed("127.0.0.4", true)).toBeUndefined();
    expect(await missed("127.0.0.9", false)).toBeUndefined();
    expect(await missed("127.0.0.4", false)).toBe(`127.0.0.4:${port}`);
    expect(await missed("127.0.0.4", false, false)).toBe(`127.0.0.4:${port}`);
  });

  test("a name none of whose addresses takes us: the one that is asked for again", async () => {
    const server = await serve({ host: "127.0.0.3" });
    const { port } = server;
    await server.crash();
    const target = { ...aTarget(`many.test:${port}`), ...PLAINTEXT };
    const resolver = aResolver({ "many.test": ["127.0.0.2", "127.0.0.3"] });
    const lookAt = { last: `127.0.0.3:${port}`, isNext: false, dialled: [] };
    const report = await look(target.address, target, { resolver, everyAddress: true, lookAt });

    expect(report).toMatchObject({ phase: "tcp", insteadOf: `127.0.0.3:${port}` });
  });

  test("a name of many addresses: four at a time, each in its turn", async () => {
    const server = await serve({ host: "0.0.0.0" });
    const hosts = Array.from({ length: 6 }, (_, index) => `127.0.0.${index + 2}`);
    const target = { ...aTarget(`many.test:${server.port}`), ...PLAINTEXT };
    const resolver = aResolver({ "many.test": hosts });
    const lastOctets = (dials: readonly { readonly address: string }[]) =>
      dials.map(({ address }) => Number(/\.(\d+):/.exec(address)?.[1]));
    const dialled = async (lookAt: LookAt) => {
      const report = await look(target.address, target, { resolver, everyAddress: true, lookAt });
      return [report.addressCount, ...lastOctets(report.dials)];
    };
    const at = (octet: number) => `127.0.0.${octet}:${server.port}`;
    const before = [at(5), at(6), at(7), at(2)];

    // The one that was looked through stands last.
    expect(await dialled({ last: at(4), isNext: true, dialled: [] })).toEqual([6, 6, 7, 2, 5]);
    expect(await dialled({ last: at(7), isNext: true, dialled: before })).toEqual([6, 3, 4, 5, 2]);
    expect(await dialled({ last: at(6), isNext: false, dialled: before })).toEqual([6, 7, 2, 5, 6]);
    expect(await dialled({ last: "gone", isNext: true, dialled: [] })).toEqual([6, 3, 4, 5, 2]);
  });

  test("a server that does not know the empty service name", async () => {
    const server = await serve({ fallback: answers.status(5, "unknown service") });
    const report = await look(server.address, PLAINTEXT);

    expect(report).toMatchObject({ outcome: "passed", rpc: { grpcStatus: 5 } });
  });

  test("a loopback server that the pod's address refuses", async () => {
    const server = await serve();
    const report = await look(server.address, PLAINTEXT, { alsoDial: "127.0.0.9" });

    expect(report).toMatchObject({
      outcome: "passed",
      podDial: { address: `127.0.0.9:${server.port}`, outcome: "refused", errno: "ECONNREFUSED" },
    });
  });
});

describe("an X-ray finds the server unsupported, not sick", () => {
  const rows: readonly (readonly [string, FaultyServerOptions, Partial<XrayReport>])[] = [
    ["without health", { fallback: answers.status(12) }, { phase: "rpc", reason: "status" }],
    [
      "that wants a token",
      { fallback: answers.status(16) },
      { phase: "rpc", reason: "credentials" },
    ],
    ["that forbids", { fallback: answers.status(7) }, { phase: "rpc", reason: "credentials" }],
    [
      "whose proxy wants a login",
      { fallback: answers.http(401, "text/html", "<html>") },
      { phase: "rpc", reason: "credentials" },
    ],
    [
      "whose mux says 404 in plain text",
      { fallback: answers.http(404, "text/plain; charset=utf-8", "404 page not found") },
      { phase: "rpc", reason: "status" },
    ],
  ];
  test.each(rows)("%s", async (_sentence, options, expected) => {
    const report = await look((await serve(options)).address, PLAINTEXT);
    expect(report).toMatchObject({ outcome: "unsupported", ...expected });
  });

  test("that demands a certificate which we were not given", async () => {
    const server = await serve(secured({ clientCa: ca.cert }));
    const report = await look(server.address, trusting());

    expect(report).toMatchObject({
      outcome: "unsupported",
      phase: "tls",
      reason: "client_certificate_required",
      tls: {
        alert: 116,
        clientCertificateAsked: true,
        clientCertificateSent: false,
        coversAuthority: true,
      },
    });
  });

  test("when our token's file is gone", async () => {
    const server = await serve();
    const value = { kind: "file", path: "/nowhere/token", prefix: "" } as const;
    const report = await look(server.address, {
      ...PLAINTEXT,
      metadata: [{ key: "authorization", value }],
    });

    expect(report).toMatchObject({ outcome: "unsupported", reason: "credentials" });
    expect(report.dials).toMatchObject([{ outcome: "connected" }]);
  });
});

describe("an X-ray fails in its phase", () => {
  test("dns: a name that does not exist", async () => {
    const report = await look("nowhere.test:50051");

    expect(report).toEqual({
      at: ms,
      outcome: "failed",
      phase: "dns",
      reason: "nxdomain",
      phaseMs: { dns: ms },
      dials: [],
    });
  });

  test("tcp: nobody listens", async () => {
    const { port, release } = await refusingPort();
    cleanUps.push(release);
    const report = await look(`127.0.0.1:${port}`);

    expect(report).toEqual({
      at: ms,
      outcome: "failed",
      phase: "tcp",
      reason: "refused",
      phaseMs: {},
      dials: [
        {
          at: ms,
          address: `127.0.0.1:${port}`,
          family: "ipv4",
          outcome: "refused",
          errno: "ECONNREFUSED",
        },
      ],
    });
  });

  test("tcp: a unix socket that is not there", async () => {
    const report = await look("unix:/nowhere/app.sock");

    expect(report).toMatchObject({
      phase: "tcp",
      reason: "refused",
      dials: [
        { address: "unix:/nowhere/app.sock", family: "unix", outcome: "refused", errno: "ENOENT" },
      ],
    });
  });

  const certificates: readonly (readonly [
    string,
    () => Promise<FaultyServerOptions> | FaultyServerOptions,
    () => Partial<Target>,
    Partial<XrayReport>,
    Partial<NonNullable<XrayReport["tls"]>>,
  ])[] = [
    [
      "expired",
      async () => {
        const old = await issue({ issuer: ca, dns: [NAME], fromDays: -10, toDays: -1 });
        return { tls: { cert: old.cert, key: old.key } };
      },
      () => trusting(),
      { reason: "certificate_expired" },
      { path: "ok", pathFailsByDate: true, coversAuthority: true },
    ],
    [
      "not yet valid, of a stranger and for another name: each fact apart",
      async () => {
        const early = await issue({ issuer: otherCa, dns: ["other.test"], fromDays: 1, toDays: 9 });
        return { tls: { cert: early.cert, key: early.key } };
      },
      () => trusting(),
      { reason: "certificate_not_yet_valid" },
      { path: "UNABLE_TO_VERIFY_LEAF_SIGNATURE", pathFailsByDate: false, coversAuthority: false },
    ],
    [
      "another name",
      () => secured(),
      () => ({ ...trusting(), authority: "payments.shop.svc" }),
      { reason: "hostname_mismatch" },
      { path: "ok", coversAuthority: false, sans: [NAME] },
    ],
    [
      "no names at all",
      async () => {
        const bare = await issue({ name: NAME, issuer: ca });
        return { tls: { cert: bare.cert, key: bare.key } };
      },
      () => trusting(),
      { reason: "hostname_mismatch" },
      { coversAuthority: false, hasSans: false, sans: [] },
    ],
    [
      "another issuer",
      () => secured(),
      () => ({ ...trusting(), tls: { mode: "tls", ca: files.otherCa } }),
      { reason: "untrusted_issuer" },
      { path: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", sentCertificates: 2 },
    ],
    [
      "its intermediate not sent",
      () => ({ tls: { cert: leaf.cert, key: leaf.key } }),
      () => trusting(),
      { reason: "untrusted_issuer" },
      { path: "UNABLE_TO_VERIFY_LEAF_SIGNATURE", sentCertificates: 1 },
    ],
  ];

  test.each(certificates)("tls: %s", async (_sentence, options, stated, report, tls) => {
    const server = await serve(await options());
    const seen = await look(server.address, stated());

    expect(seen).toMatchObject({ outcome: "failed", phase: "tls", ...report, tls });
    // A later phase is shown though a client would not get there; but no call is made.
    expect(seen.settings).toBeDefined();
    expect(server.calls).toEqual([]);
    expect(server.complaints).toEqual([]);
  });

  test("tls: TLS is expected, plaintext is spoken", async () => {
    const server = await serve();
    const report = await look(server.address, { tls: { mode: "tls" } });

    expect(report).toMatchObject({
      outcome: "failed",
      phase: "tls",
      reason: "tls_expected",
      sniff: { found: "h2c", firstOctets: expect.stringMatching(/^00....04/) },
    });
  });

  test("http2: plaintext is expected, TLS is spoken", async () => {
    const server = await serve(secured());
    const report = await look(server.address, PLAINTEXT);

    expect(report).toMatchObject({
      outcome: "failed",
      phase: "http2",
      reason: "plaintext_expected",
      sniff: { found: "tls", firstOctets: expect.stringMatching(/^1603/) },
    });
    expect(report).not.toHaveProperty("silence");
  });

  test.each([
    ["TLSv1.2", "warning"],
    ["TLSv1.3", "critical"],
  ] as const)("tls: our client certificate is rejected, %s", async (maxVersion, severity) => {
    const server = await serve(secured({ clientCa: ca.cert, maxVersion }));
    const { strangerCert: cert, strangerKey: key } = files;
    const report = await look(server.address, { tls: { mode: "tls", cert, key } });

    expect(report).toMatchObject({
      outcome: "failed",
      phase: "tls",
      reason: "client_certificate_rejected",
      tls: {
        version: maxVersion,
        clientCertificateAsked: true,
        clientCertificateSent: true,
        chain: [{ fingerprint: leaf.fingerprint }, { fingerprint: intermediate.fingerprint }],
      },
    });
    expect(report).not.toHaveProperty("sniff");
    // Node says no alert: that it hangs up is all that tells.
    expect(report.tls).not.toHaveProperty("alert");
    const seen = anXray({ latest: report });
    const expectation = anExpectation({ hasClientCertificate: true });
    expect(judge(tlsClientCertRejected, { xray: seen, expectation })).toMatchObject([{ severity }]);
  });

  test("tls: no ALPN, though HTTP/2 is spoken", async () => {
    const server = await serve(secured({ alpn: "none" }));
    const report = await look(server.address, trusting());

    expect(report).toMatchObject({
      outcome: "failed",
      phase: "tls",
      reason: "alpn_missing",
      tls: { selectedAlpn: "", preferredAlpn: "" },
      settings: { initialWindowSize: 65535 },
    });
  });

  test("tls: ALPN for HTTP/1.1 only", async () => {
    const server = await serve(secured({ alpn: ["http/1.1"] }));
    const report = await look(server.address, trusting());

    expect(report).toMatchObject({
      outcome: "failed",
      phase: "tls",
      reason: "alpn_missing",
      tls: { alert: 120, preferredAlpn: "http/1.1" },
    });
    expect(report.tls).not.toHaveProperty("selectedAlpn");
  });

  test("tls: only a version that nobody speaks any more", async () => {
    const server = await serve(secured({ minVersion: "TLSv1", maxVersion: "TLSv1.1" }));
    const report = await look(server.address, trusting());

    expect(report).toMatchObject({ outcome: "failed", phase: "tls", reason: "protocol_version" });
  });

  const strangers: readonly (readonly [string, FaultyServerOptions, Partial<XrayReport>])[] = [
    [
      "HTTP/1",
      { accept: { bytes: "HTTP/1.1 400 Bad Request\r\n\r\n" } },
      {
        reason: "not_http2",
        sniff: { found: "http1", firstOctets: Buffer.from("HTTP/1.1 400 Bad").toString("hex") },
      },
    ],
    [
      "another protocol",
      { accept: { bytes: "-ERR unknown command\r\n" } },
      {
        reason: "not_http2",
        sniff: { found: "other", firstOctets: Buffer.from("-ERR unknown com").toString("hex") },
      },
    ],
    [
      "a close without a byte",
      { accept: "close" },
      { reason: "connection_closed", sniff: { found: "closed" }, silence: "closed" },
    ],
    ["a reset", { accept: "reset" }, { sniff: { found: "closed" }, silence: "closed" }],
  ];

  test.each(strangers)("http2: %s, expected or not", async (_sentence, options, expected) => {
    const server = await serve(options);
    const stated = await look(server.address, PLAINTEXT);
    const unstated = await look(server.address);

    expect(stated).toMatchObject({ outcome: "failed", phase: "http2", ...expected });
    expect(unstated).toMatchObject({ outcome: "failed", phase: "http2", ...expected });
  });

  test("http2: silence", async () => {
    const server = await serve({ accept: "mute" });
    const report = await look(server.address, PLAINTEXT);

    expect(report).toMatchObject({
      outcome: "failed",
      phase: "http2",
      reason: "settings_timeout",
      sniff: { found: "mute" },
      silence: "mute",
    });
  });

  test("http2: a GOAWAY at once", async () => {
    const server = await serve({
      goaway: { code: 11, debugText: "too_many_pings", when: "at-once" },
    });
    const report = await look(server.address, PLAINTEXT);

    expect(report).toMatchObject({
      outcome: "failed",
      reason: "goaway",
      goaway: { code: 11, debugText: "too_many_pings" },
    });
  });

  const replies: readonly (readonly [string, FaultyServerOptions, Partial<XrayReport>])[] = [
    [
      "a proxy without upstream",
      {
        fallback: answers.http(502, "text/html", "<html>Bad", {
          server: "nginx",
          date: "Thu, 15 Jan 2026 12:00:00 GMT",
        }),
      },
      {
        reason: "not_grpc",
        rpc: {
          path: PATH,
          httpStatus: 502,
          contentType: "text/html",
          serverHeader: "nginx",
          dateAt: Date.UTC(2026, 0, 15, 12),
          bodyStart: "<html>Bad",
          decodedSize: "html",
        },
      },
    ],
    [
      "a page under gRPC's content type",
      { fallback: answers.body(Buffer.from("<!DOCTYPE html>")) },
      { reason: "not_grpc", rpc: expect.objectContaining({ decodedSize: "!DOC" }) },
    ],
    ["no status", { fallback: answers.withoutStatus() }, { reason: "not_grpc" }],
    ["a dead upstream behind a gRPC proxy", { fallback: answers.status(14) }, { reason: "status" }],
    [
      "a refused stream",
      { fallback: answers.reset(7) },
      { reason: "stream_refused", rpc: { path: PATH, resetCode: 7 } },
    ],
  ];

  test.each(replies)("rpc: %s", async (_sentence, options, expected) => {
    const report = await look((await serve(options)).address, PLAINTEXT);
    expect(report).toMatchObject({ outcome: "failed", phase: "rpc", ...expected });
    expect(report.settings).toBeDefined();
  });

  test("rpc: forbidden, though a token was shown", async () => {
    const server = await serve({ fallback: answers.http(403, "text/html") });
    const value = { kind: "literal", value: "t" } as const;
    const report = await look(server.address, {
      ...PLAINTEXT,
      metadata: [{ key: "authorization", value }],
    });

    expect(report).toMatchObject({
      outcome: "failed",
      reason: "not_grpc",
      rpc: { httpStatus: 403 },
    });
  });

  test("where it stood when its time was up", async () => {
    const server = await serve({ fallback: answers.silence() });
    const report = await look(server.address, PLAINTEXT, { signal: systemClock.deadline(100) });

    expect(report).toMatchObject({ outcome: "failed", phase: "rpc", reason: "deadline" });
    expect(report.settings).toBeDefined();
  });
});
