import { it } from "vitest";
import { startPeer } from "../interop/peer.ts";
import { addressOf, anAgent, aServer } from "../interop/scene.ts";

const HEALTHY_MS = 25_000;
/** Longer than from one poll of channelz to the next. */
const SICK_MS = 15_000;

it("an upstream that has gone is told as the app's channels know it, or by its own cause", async ({
  expect,
  onTestFinished,
}) => {
  const first = await aServer({ onTestFinished }, "go");
  const upstream = addressOf(first);
  const app = await aServer({ onTestFinished }, "go", ["--calls", upstream]);
  const target = `{ name: app, address: "${addressOf(app)}" }`;
  const orders = `{ name: orders, role: upstream, address: "${upstream}" }`;
  const [blind, seeing] = await Promise.all([
    anAgent({ onTestFinished }, `targets: [${target}]`),
    anAgent({ onTestFinished }, `targets: [${target}, ${orders}]`),
  ]);
  const both = [blind, seeing] as const;
  await Promise.all(both.map((agent) => agent.staysQuiet(HEALTHY_MS)));

  await first.stop();
  const [{ active }] = await Promise.all([
    blind.active(["channel-stuck@app"]),
    seeing.active(["connection-refused@orders"]),
  ]);
  expect(active).toMatchObject([
    { severity: "warning", subject: { upstream }, evidence: { cause: "transient-failure" } },
  ]);
  const [, { suppressed }] = await Promise.all([
    blind.stays(["channel-stuck@app"], SICK_MS),
    seeing.stays(["connection-refused@orders"], SICK_MS),
  ]);
  const because = suppressed.map(({ code, because: root }) => `${code}: ${root}`);
  expect(because).toContainEqual(expect.stringMatching(/^channel-stuck: connection-refused/));

  const second = await startPeer("go", ["serve", "--listen", upstream]);
  onTestFinished(() => second.stop());
  await Promise.all(both.map((agent) => agent.active([])));
});
