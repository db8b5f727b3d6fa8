import * as grpc from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import type { JobOf } from "../../src/model/job.ts";
import type { Observation } from "../../src/model/observation.ts";
import type { Target } from "../../src/model/target.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { preflight } from "../../src/sources/preflight.ts";
import { bundle, issue, issueCa, writeFiles } from "../support/certificates.ts";
import { refusingPort } from "../support/faulty-server.ts";
import { type GrpcServerOptions, startGrpcServer } from "../support/grpc-server.ts";
import { aResolver, aTarget } from "../support/targets.ts";
import { aTools } from "../support/tools.ts";

const NAME = "orders.shop.svc";

let cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  const all = cleanUps.toReversed();
  cleanUps = [];
  for (const cleanUp of all) await cleanUp();
});

async function serve(options: GrpcServerOptions = {}) {
  const server = await startGrpcServer(options);
  cleanUps.push(() => server.stop());
  return server;
}

async function observe(
  target: Target,
  more: Partial<JobOf<"preflight">> = {},
  tools = aTools({ resolver: aResolver({ [NAME]: ["127.0.0.1"] }) }),
): Promise<readonly Observation[]> {
  const job: JobOf<"preflight"> = {
    key: "preflight/app",
    source: "preflight",
    label: "preflight",
    target: target.name,
    cadence: { kind: "every", ms: 30_000 },
    deadlineMs: 20_000,
    everyAddress: false,
    ...more,
  };
  const run = { job, target, signal: systemClock.deadline(5000), scheduleLagMs: 0 };
  const observations: Observation[] = [];
  for await (const one of preflight.observe(run, tools)) observations.push(one);
  return observations;
}

const reported = (report: object) => [
  {
    source: "preflight",
    kind: "xray",
    target: "app",
    at: expect.any(Number),
    report: expect.objectContaining(report),
  },
];

describe("preflight", () => {
  test("passes a healthy grpc-js server, which leaves as it came", async () => {
    const server = await serve();
    expect(await observe(server.target())).toEqual(
      reported({
        outcome: "passed",
        spoke: "plaintext",
        rpc: expect.objectContaining({ grpcStatus: 0 }),
      }),
    );
  });

  test("passes a grpc-js server with TLS, by name, in all phases", async () => {
    const ca = await issueCa();
    const leaf = await issue({ issuer: ca, dns: [NAME] });
    const files = await writeFiles({ ca: ca.cert });
    cleanUps.push(files.remove);
    const pair = { cert_chain: Buffer.from(bundle(leaf)), private_key: Buffer.from(leaf.key) };
    const server = await serve({ credentials: grpc.ServerCredentials.createSsl(null, [pair]) });
    const target = aTarget(`${NAME}:${server.port}`, {
      authority: NAME,
      tls: { mode: "tls", ca: files.paths.ca },
    });

    const [observation] = await observe(target);
    expect(observation).toMatchObject({
      report: {
        outcome: "passed",
        spoke: "tls",
        tls: { selectedAlpn: "h2", path: "ok", coversAuthority: true, serverName: NAME },
        phaseMs: {
          dns: expect.any(Number),
          tcp: expect.any(Number),
          tls: expect.any(Number),
          http2: expect.any(Number),
          rpc: expect.any(Number),
        },
      },
    });
  });

  test("finds a grpc-js server without health unsupported", async () => {
    const server = await serve({ health: false });
    expect(await observe(server.target())).toEqual(
      reported({ outcome: "unsupported", phase: "rpc", reason: "status" }),
    );
  });

  test("tells a refusal, and dials the pod's address too where it is asked to", async () => {
    const { port, release } = await refusingPort();
    cleanUps.push(release);
    const observations = await observe(aTarget(`127.0.0.1:${port}`), { alsoDial: "127.0.0.9" });

    expect(observations).toEqual(
      reported({
        outcome: "failed",
        phase: "tcp",
        reason: "refused",
        podDial: expect.objectContaining({ address: `127.0.0.9:${port}`, outcome: "refused" }),
      }),
    );
  });
});

test("an X-ray that failed for what we lack is none", async () => {
  const resolver = aResolver();
  const tools = aTools({
    resolver: {
      resolve: async (question) => ({
        ...(await resolver.resolve(question)),
        outcome: "unavailable",
        reason: "resolv.conf names no name server",
      }),
    },
  });
  expect(await observe(aTarget(`${NAME}:1`), {}, tools)).toEqual([
    {
      source: "preflight",
      kind: "capability",
      target: "app",
      at: expect.any(Number),
      available: false,
      reason: "the agent can make no connection",
    },
  ]);
});

test("its call is counted among our own", async () => {
  const server = await serve();
  const tools = aTools();
  await observe(aTarget(server.address), {}, tools);
  expect(tools.ownCalls.read("app")).toEqual({
    started: 1,
    succeeded: 1,
    failed: 0,
    unimplemented: 0,
  });
});
