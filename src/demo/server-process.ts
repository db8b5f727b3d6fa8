import { existsSync } from "node:fs";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import * as grpc from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import type { KeyPair } from "./certificates.ts";
import type { CertificateName, Command, Serving } from "./faults.ts";
import { orderHandlers } from "./order-service.ts";

/** What a server process is started with. */
export interface ServerTask {
  readonly role: "server";
  readonly port: number;
  readonly serving: Serving;
  readonly protoDirectory: string;
  readonly leaves: Readonly<Record<CertificateName, KeyPair>>;
  /** Streams that one connection may carry. */
  readonly maxConcurrentStreams: number;
  /** A server that this one calls twice a second; absent = none. */
  readonly calls?: string;
}

const SERVICE = "order.OrderService";

/** Loads `order/order.proto` from a folder of protos. */
export function loadOrderPackage(protoDirectory: string): {
  readonly definition: protoLoader.PackageDefinition;
  readonly client: grpc.ServiceClientConstructor;
} {
  const definition = protoLoader.loadSync("order/order.proto", {
    includeDirs: [protoDirectory],
    longs: String,
    defaults: true,
  });
  const order = grpc.loadPackageDefinition(definition)["order"] as grpc.GrpcObject;
  return { definition, client: order["OrderService"] as grpc.ServiceClientConstructor };
}

/**
 * The sample server, in a process of its own, so that its event loop can be blocked and its life be
 * ended without the agent's. Commands come from the parent; each is answered when it took effect.
 */
export async function runServer(task: ServerTask): Promise<(command: Command) => Promise<void>> {
  const slowness = { delayMs: 0 };
  const health = new HealthImplementation({ "": "SERVING", [SERVICE]: "SERVING" });
  const { definition, client } = loadOrderPackage(task.protoDirectory);
  let stop = await listen(task.serving);
  if (task.calls !== undefined)
    callRegularly(new client(task.calls, grpc.credentials.createInsecure()));

  async function listen(serving: Serving): Promise<() => Promise<void>> {
    if (serving.kind === "mute") return listenMute(task.port);
    const server = new grpc.Server({ "grpc.max_concurrent_streams": task.maxConcurrentStreams });
    server.addService(client.service, orderHandlers(slowness));
    health.addToServer(server);
    new ReflectionService(definition).addToServer(server);
    grpc.addAdminServicesToServer(server);
    const { certificate } = serving;
    const leaf = certificate && task.leaves[certificate];
    const credentials = leaf
      ? grpc.ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(leaf.certificate), private_key: Buffer.from(leaf.key) },
        ])
      : grpc.ServerCredentials.createInsecure();
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`${serving.host}:${task.port}`, credentials, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    return async () => server.forceShutdown();
  }

  return async (command) => {
    switch (command.kind) {
      case "serve":
        await stop();
        stop = await listen(command.as);
        break;
      case "health":
        health.setStatus("", command.status);
        break;
      case "delay":
        slowness.delayMs = command.ms;
        break;
      case "block":
        blockEventLoop(command.while);
        break;
      case "hold-streams":
        throw new Error("a server holds no streams");
    }
  };
}

/**
 * Really blocks the event loop, for as long as a file exists and the parent lives, whose end it would
 * not hear of: nothing else can reach it.
 */
function blockEventLoop(file: string): void {
  const parent = process.ppid;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (existsSync(file) && process.ppid === parent) Atomics.wait(cell, 0, 0, 200);
}

async function listenMute(port: number): Promise<() => Promise<void>> {
  const server: TcpServer = createTcpServer();
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "0.0.0.0", resolve);
  });
  return () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
}

/** The order service asks another one, as services do: its failures are not its own. */
function callRegularly(client: grpc.Client): void {
  const stub = client as grpc.Client & {
    getOrder(request: object, options: grpc.CallOptions, done: () => void): void;
  };
  setInterval(() => {
    stub.getOrder({ id: "order-1" }, { deadline: Date.now() + 1_000 }, () => undefined);
  }, 500);
}
