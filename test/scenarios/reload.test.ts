import { it } from "vitest";
import { startGrpcServer } from "../support/grpc-server.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";

const SICK = ["connection-refused@app"];
const STAYS_MS = 10_000;

it("keeps a finding, its history and all counters over a reload", async ({
  expect,
  onTestFinished,
}) => {
  const [sick, well] = await Promise.all([startGrpcServer({}), startGrpcServer({})]);
  onTestFinished(() => well.crash());
  const app = `targets:\n  - { name: app, address: "127.0.0.1:${sick.port}" }\n`;
  const agent = await startRunningAgent(app);
  onTestFinished(async () => void (await agent.stop()));
  await agent.staysQuiet(STAYS_MS);
  sick.crash();
  const before = await agent.active(SICK);
  const told = transitions(agent);
  const counted = counters(await agent.metrics());

  agent.configure(`${app}  - { name: other, address: "127.0.0.1:${well.port}" }\n`);
  process.kill(agent.pid, "SIGHUP");
  await expect.poll(() => events(agent)).toContain("grpc_doctor.config.loaded");
  const after = await agent.stays(SICK, STAYS_MS);

  expect(after.targets.map(({ name }) => name)).toContain("other");
  expect(after.active.map(sinceOf)).toEqual(before.active.map(sinceOf));
  expect(transitions(agent)).toEqual(told);
  const now = new Map(counters(await agent.metrics()));
  const fallen = counted.filter(([series, value]) => (now.get(series) ?? -1) < value);
  expect(fallen).toEqual([]);
  expect(now.get('grpc_doctor_findings_total{target="app",code="connection-refused"}')).toBe(1);
});

const events = ({ log }: RunningAgent) => log.map((line) => String(line["otel.event.name"]));

const transitions = (agent: RunningAgent) =>
  events(agent).filter((name) => name.startsWith("grpc_doctor.finding."));

function sinceOf({ code, firstSeen }: { readonly code: string; readonly firstSeen: string }) {
  return { code, firstSeen };
}

/** Every series that only rises, with its value. */
function counters(text: string): readonly (readonly [series: string, value: number])[] {
  const rising = /^(grpc_doctor_\w+(?:_total|_count|_bucket)(?:\{.*\})?) ([\d.e+-]+)$/gm;
  return [...text.matchAll(rising)].map(([, series = "", value]) => [series, Number(value)]);
}
