import { it } from "vitest";
import { startGrpcServer } from "../support/grpc-server.ts";
import { startRunningAgent } from "../support/running-agent.ts";

/** Lets one function of one rule throw: none does so by itself, and that nobody else shares it. */
const breaking = (name: string) => [
  "--import",
  `data:text/javascript,${encodeURIComponent(`
const { findLastIndex } = Array.prototype;
Array.prototype.findLastIndex = function (...given) {
  if (new Error().stack.includes("at ${name} ")) throw new TypeError("broken on purpose");
  return findLastIndex.apply(this, given);
};`)}`,
];
const HEALTHY_MS = 10_000;

it("goes on with all other rules beside one that throws", async ({ expect, onTestFinished }) => {
  const server = await startGrpcServer({});
  const configuration = `targets: [{ name: app, address: "127.0.0.1:${server.port}" }]\n`;
  const start = async (name: string) => {
    const agent = await startRunningAgent(configuration, { node: breaking(name) });
    onTestFinished(async () => void (await agent.stop()));
    return agent;
  };
  const [whole, broken] = await Promise.all([start("noSuchRule"), start("silentCalls")]);

  await whole.staysQuiet(HEALTHY_MS);
  const crashed = "detector-crashed@grpc-doctor";
  const { active, unjudged } = await broken.active([crashed]);
  expect(active).toMatchObject([
    {
      code: "detector-crashed",
      subject: { detector: "app-frozen" },
      evidence: { errorText: "TypeError: broken on purpose" },
    },
  ]);
  expect(unjudged.find(({ code }) => code === "app-frozen")?.because).toBe(
    "the detector crashed (see detector-crashed)",
  );
  expect(await broken.metrics()).toContain(
    'grpc_doctor_finding_severity{target="grpc-doctor",code="detector-crashed"} 2',
  );

  server.crash();
  await broken.active([crashed, "connection-refused@app"]);
  await whole.active(["connection-refused@app"]);
});
