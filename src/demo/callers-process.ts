import * as grpc from "@grpc/grpc-js";
import type { Command } from "./faults.ts";
import { loadOrderPackage } from "./server-process.ts";

/** What the process of the callers is started with. */
export interface CallersTask {
  readonly role: "callers";
  /** Plaintext address of the service. */
  readonly address: string;
  readonly protoDirectory: string;
}

/** A client that calls by the name of the method. */
interface OrderClient extends grpc.Client {
  getOrder(request: object, options: grpc.CallOptions, done: Done): grpc.ClientUnaryCall;
  addOrder(request: object, options: grpc.CallOptions, done: Done): grpc.ClientUnaryCall;
  searchOrders(request: object, options?: grpc.CallOptions): grpc.ClientReadableStream<object>;
  updateOrders(options: grpc.CallOptions, done: Done): grpc.ClientWritableStream<object>;
  processOrders(options: grpc.CallOptions): grpc.ClientDuplexStream<object, object>;
}
type Done = () => void;

/** Each caller gives up after this. */
const DEADLINE_MS = 300;
const ROUND_MS = 100;

/** Steady traffic: about fifteen calls a second, every kind of method, one connection. */
export function runCallers(task: CallersTask): (command: Command) => Promise<void> {
  const { client: Client } = loadOrderPackage(task.protoDirectory);
  const open = () =>
    new Client(task.address, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_reconnect_backoff_ms": 1_000,
    }) as unknown as OrderClient;
  const client = open();
  let round = 0;
  setInterval(() => {
    round += 1;
    callOnce(client, round);
  }, ROUND_MS);

  let release = () => {};
  return async (command) => {
    if (command.kind !== "hold-streams") throw new Error(`callers do not ${command.kind}`);
    release();
    release = holdStreams(open(), command.count);
  };
}

/** Opens so many streams on one connection; the returned function ends them. */
function holdStreams(client: OrderClient, count: number): () => void {
  const streams = Array.from({ length: count }, () => {
    const stream = client.searchOrders({ item: "everything" });
    return stream.on("data", () => undefined).on("error", () => undefined);
  });
  return () => {
    // Closing a client leaves its streams alone: each is cancelled.
    for (const stream of streams) stream.cancel();
    client.close();
  };
}

function callOnce(client: OrderClient, round: number): void {
  const options = { deadline: Date.now() + DEADLINE_MS };
  const ignore = () => undefined;
  client.getOrder({ id: `order-${(round % 5) + 1}` }, options, ignore);
  if (round % 5 === 0) client.addOrder({ id: `order-${round % 100}`, price: 7 }, options, ignore);
  if (round % 5 === 1) {
    const found = client.searchOrders({ item: "warranty" }, options);
    found.on("data", ignore).on("error", ignore);
  }
  if (round % 5 === 2) {
    const update = client.updateOrders(options, ignore);
    update.on("error", ignore);
    update.write({ id: "order-1", price: 8 });
    update.end();
  }
  if (round % 5 === 3) {
    const shipments = client.processOrders(options);
    shipments.on("data", ignore).on("error", ignore);
    shipments.write({ id: "order-1" });
    shipments.end();
  }
}
