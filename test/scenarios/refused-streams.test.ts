import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { it } from "vitest";
import { file_grpc_health_v1_health } from "../../src/grpc/gen/grpc/health/v1/health_pb.js";
import { answers, type Handler, SERVING, startFaultyServer } from "../support/faulty-server.ts";
import { startRunningAgent } from "../support/running-agent.ts";

const CHECK = "grpc.health.v1.Health/Check";
/** RFC 9113 section 7. */
const REFUSED_STREAM = 7;

it("a server that sheds calls is named as the root, and heals", async ({
  expect,
  onTestFinished,
}) => {
  const server = await startBusy();
  onTestFinished(() => server.crash());
  const protoset = aProtoset();
  onTestFinished(() => rmSync(protoset));
  const agent = await startRunningAgent(configurationOf(server.address, protoset));
  onTestFinished(async () => void (await agent.stop()));
  await agent.staysQuiet(12_000);

  server.isFull = true;
  const { active } = await agent.active(["streams-refused"]);
  expect(active).toMatchObject([{ subject: { side: "server" }, target: "app" }]);
  const { suppressed } = await agent.stays(["streams-refused"], 6_000);
  expect(suppressed).toContainEqual(
    expect.objectContaining({
      code: "probe-failing",
      subject: { probe: "check" },
      because: "streams-refused",
    }),
  );

  server.isFull = false;
  await agent.active([]);
});

/** `isFull`: it sheds each call before a handler sees it. */
async function startBusy() {
  const state = { isFull: false };
  const [check, refuse] = [answers.messages(SERVING), answers.reset(REFUSED_STREAM)];
  const handlers = {
    [`/${CHECK}`]: (...call: Parameters<Handler>) => (state.isFull ? refuse : check)(...call),
  };
  return Object.assign(state, await startFaultyServer({ handlers }));
}

/** A file with what health is, for a server without reflection. */
function aProtoset(): string {
  const file = join(mkdtempSync(join(tmpdir(), "grpc-doctor-test-")), "health.protoset");
  const set = create(FileDescriptorSetSchema, { file: [file_grpc_health_v1_health.proto] });
  writeFileSync(file, toBinary(FileDescriptorSetSchema, set));
  return file;
}

const configurationOf = (address: string, protoset: string) => `
targets:
  - { name: app, address: "${address}" }
probes:
  - { name: check, target: app, method: ${CHECK}, protoset: ${protoset}, every: 2s, deadline: 1900ms }
findings:
  streams-refused: { clearAfter: 60s }
`;
