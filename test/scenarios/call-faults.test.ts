import { status } from "@grpc/grpc-js";
import { it } from "vitest";
import { addressOf, aServer } from "../interop/scene.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { startRunningAgent } from "../support/running-agent.ts";

/** What the server takes; an order with many items has more. */
const MOST_BYTES = 2_000;
/** What a server takes as metadata; a token of many claims has more. */
const MOST_METADATA = 4_096;
const FAULTS = [
  "auth-rejected@app",
  "compression-unsupported@shop",
  "message-too-large@app",
  "metadata-too-large@shop",
  "unimplemented-calls@app",
];

it("what the server refuses is named, each by its own cause, and nothing else", async ({
  expect,
  onTestFinished,
}) => {
  const server = await startOrders();
  onTestFinished(server.crash);
  // grpc-go without `encoding/gzip`.
  const shop = await aServer({ onTestFinished }, "go", [
    "--max-header-list",
    String(MOST_METADATA),
  ]);
  const world = (items: number, compression: string, claims: number) =>
    configurationOf({ app: server.address, shop: addressOf(shop), items, compression, claims });
  const agent = await startRunningAgent(world(1, "identity", 10));
  onTestFinished(async () => void (await agent.stop()));
  await agent.staysQuiet(12_000);

  server.isOld = true;
  agent.configure(world(1_000, "gzip", 350));
  await agent.active(FAULTS);
  const { active, suppressed } = await agent.stays(FAULTS, 6_000);
  const told = active.map(({ code, severity, subject }) => [code, severity, ...values(subject)]);
  expect(told.map(String).toSorted()).toEqual([
    "auth-rejected,warning,get",
    "compression-unsupported,critical,order.OrderService/GetOrder",
    "message-too-large,critical,order.OrderService/UpdateOrders",
    "metadata-too-large,critical,token",
    "unimplemented-calls,critical,order.OrderService/AddOrder",
  ]);
  const because = suppressed.map(({ subject, because: root }) => `${subject["probe"]}: ${root}`);
  expect(because.toSorted()).toEqual([
    "add: unimplemented-calls",
    "compressed: compression-unsupported",
    "get: auth-rejected",
    "token: metadata-too-large",
    "update: message-too-large",
  ]);

  server.isOld = false;
  agent.configure(world(1, "gzip", 10));
  await agent.active(["compression-unsupported@shop"]);
});

const { values } = Object;

/** `isOld`: another version, with another key and without AddOrder. */
async function startOrders() {
  const state = { isOld: false };
  const server = await startGrpcServer({
    options: { "grpc.max_receive_message_length": MOST_BYTES },
    handlers: {
      GetOrder: (_call, done) =>
        state.isOld
          ? done({ code: status.UNAUTHENTICATED, details: "the signature is invalid" })
          : done(null, { id: "order-123" }),
      AddOrder: (_call, done) =>
        state.isOld
          ? done({ code: status.UNIMPLEMENTED, details: "method AddOrder not implemented" })
          : done(null, { id: "order-123" }),
    },
  });
  return Object.assign(state, server);
}

interface World {
  readonly app: string;
  readonly shop: string;
  readonly items: number;
  readonly compression: string;
  readonly claims: number;
}

const configurationOf = ({ app, shop, items, compression, claims }: World) => `
targets:
  - { name: app, address: "${app}" }
  - { name: shop, address: "${shop}" }
probes:
  - { name: get, target: app, method: order.OrderService/GetOrder, every: 2s, deadline: 1900ms, metadata: { x-key: first } }
  - { name: add, target: app, method: order.OrderService/AddOrder, every: 2s, deadline: 1900ms }
  - { name: update, target: app, method: order.OrderService/UpdateOrders, every: 2s, deadline: 1900ms, request: [{ items: [${Array<string>(items).fill("tea").join(", ")}] }] }
  - { name: compressed, target: shop, method: order.OrderService/GetOrder, every: 2s, deadline: 1900ms, compression: ${compression} }
  - { name: token, target: shop, method: order.OrderService/GetOrder, every: 2s, deadline: 1900ms, metadata: { x-token: "${"claim-0001;".repeat(claims)}" } }
findings:
${FAULTS.map((fault) => `  ${fault.replace(/@.*/, "")}: { clearAfter: 60s }`).join("\n")}
`;
