import { it } from "vitest";
import { addNetworkNamespace } from "../support/network-namespace.ts";
import { startProgram } from "../support/process.ts";
import { startRunningAgent } from "../support/running-agent.ts";

/** Of a network to which there is no route: without a mesh it is named within seconds. */
const UNROUTED = "192.0.2.1";
/** Where Envoy takes what the app sends. */
const PROXY_PORT = 15_001;
const LISTEN = `require("node:net").createServer().listen(${PROXY_PORT}, "127.0.0.1", () => console.log("up"))`;
/** What a mesh's proxy does instead of the app. */
const OF_THE_PROXY = ["connect-blackholed", "dns-stale", "l4-pinning", "tls-san-mismatch"];
const UPSTREAM = `targets: [{ name: orders, role: upstream, address: "${UNROUTED}:50051" }]\n`;

it("accuses no upstream where a mesh's proxy stands before it", async ({
  expect,
  onTestFinished,
}) => {
  const network = addNetworkNamespace(`grpc-doctor-mesh-${process.pid}`);
  onTestFinished(() => network.remove());
  const line = [...network.prefix, process.execPath, "-e", LISTEN];
  const proxy = await startProgram(line, (output) => output.includes("up"));
  onTestFinished(async () => void (await proxy.end("SIGKILL")));
  const agent = await startRunningAgent(UPSTREAM, { network });
  onTestFinished(async () => void (await agent.stop()));

  const { unjudged } = await agent.staysQuiet(20_000);
  const told = unjudged.filter(({ code }) => OF_THE_PROXY.includes(code));
  expect(told).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        code: "connect-blackholed",
        target: "orders",
        because: "a mesh proxy carries these connections",
      }),
    ]),
  );

  await proxy.end("SIGKILL");
  await agent.active(["connect-blackholed@orders"]);
});
