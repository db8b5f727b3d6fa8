import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation, type ServingStatusMap } from "grpc-health-check";
import type { Target } from "../../src/model/target.ts";
import { aTarget } from "./targets.ts";

/** A message as proto-loader gives it: names in camel case, 64 bits as strings. */
type Message = Readonly<Record<string, unknown>>;

/** The order service: each method a field, so that a test can replace the one that it is about. */
export interface OrderHandlers {
  GetOrder: grpc.handleUnaryCall<Message, Message>;
  AddOrder: grpc.handleUnaryCall<Message, Message>;
  SearchOrders: grpc.handleServerStreamingCall<Message, Message>;
  UpdateOrders: grpc.handleClientStreamingCall<Message, Message>;
  ProcessOrders: grpc.handleBidiStreamingCall<Message, Message>;
}

export interface GrpcServerOptions {
  readonly handlers?: Partial<OrderHandlers>;
  /** `false`: not served. Default: `""` and `order.OrderService` are SERVING. */
  readonly health?: ServingStatusMap | false;
  readonly channelz?: boolean;
  readonly reflection?: boolean;
  readonly credentials?: grpc.ServerCredentials;
  readonly options?: grpc.ServerOptions;
  /** Default: a free port of 127.0.0.1. */
  readonly bind?: string;
}

/** A REAL grpc-js server with the sample order service. */
export interface GrpcServer {
  readonly port: number;
  readonly address: string;
  readonly health: HealthImplementation;
  readonly server: grpc.Server;
  /** The target that points at it; each field can be replaced. */
  target(change?: Partial<Target>): Target;
  /** Ends gracefully; rejects when a client still keeps it open after three seconds. */
  stop(): Promise<void>;
  /** Ends every connection at once. */
  crash(): void;
}

const PROTO = fileURLToPath(new URL("../../src/proto/order/order.proto", import.meta.url));
const ORDERS = protoLoader.loadSync(PROTO, { longs: String, enums: String, defaults: true });
const SERVICE = ORDERS["order.OrderService"] as grpc.ServiceDefinition;
const DRAIN_MS = 3000;

const ORDER: Message = {
  id: "order-123",
  items: ["tea", "milk"],
  description: "breakfast",
  price: 12.5,
  destination: "Bern",
};

const healthy: OrderHandlers = {
  GetOrder: (call, done) =>
    call.request["id"] === ORDER["id"]
      ? done(null, ORDER)
      : done({ code: grpc.status.NOT_FOUND, details: `no order ${String(call.request["id"])}` }),
  AddOrder: (call, done) => done(null, { id: call.request["id"] }),
  SearchOrders: (call) => {
    call.write(ORDER);
    call.write({ ...ORDER, id: "order-124" });
    call.end();
  },
  UpdateOrders: (call, done) => {
    let updated = 0;
    call.on("data", () => {
      updated += 1;
    });
    call.on("end", () => done(null, { updated }));
  },
  ProcessOrders: (call) => {
    call.on("data", ({ id }: Message) => call.write({ id, status: "PACKED", orders: [ORDER] }));
    call.on("end", () => call.end());
  },
};

/** The order service's files as @grpc/reflection serves them: with protobuf.js's omissions. */
export function orderFiles(): readonly FileDescriptorProto[] {
  const definition = ORDERS["order.Order"];
  const files = (definition as protoLoader.MessageTypeDefinition<object, object>)
    .fileDescriptorProtos;
  return files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

export async function startGrpcServer(options: GrpcServerOptions = {}): Promise<GrpcServer> {
  const { health: statuses = { "": "SERVING", "order.OrderService": "SERVING" } } = options;
  const server = new grpc.Server(options.options);
  server.addService(SERVICE, { ...healthy, ...options.handlers });
  const health = new HealthImplementation(statuses === false ? {} : statuses);
  if (statuses !== false) health.addToServer(server);
  if (options.channelz !== false) grpc.addAdminServicesToServer(server);
  if (options.reflection !== false) new ReflectionService(ORDERS).addToServer(server);

  const credentials = options.credentials ?? grpc.ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(options.bind ?? "127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const address = `127.0.0.1:${port}`;
  return {
    port,
    address,
    health,
    server,
    target: (change = {}) => aTarget(address, { channelz: { everyMs: 10_000 }, ...change }),
    stop: () => stop(server),
    crash: () => server.forceShutdown(),
  };
}

function stop(server: grpc.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      reject(new Error("a client still keeps the server open"));
    }, DRAIN_MS);
    server.tryShutdown((error) => {
      clearTimeout(timer);
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
