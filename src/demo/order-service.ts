import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";

/** `order.Order` as proto-loader hands it over (keepCase false, longs as strings). */
interface Order {
  readonly id: string;
  readonly items: readonly string[];
  readonly description: string;
  readonly price: number;
  readonly destination: string;
}

/** What the service is told to do wrong: every handler waits this long before it answers. */
export interface Slowness {
  delayMs: number;
}

const ORDERS: readonly Order[] = ["laptop", "phone", "lamp", "chair", "desk"].map(
  (item, index) => ({
    id: `order-${index + 1}`,
    items: [item, "warranty"],
    description: `one ${item}`,
    price: 100 * (index + 1),
    destination: index % 2 === 0 ? "Oslo" : "Bergen",
  }),
);

/**
 * The sample service, one method of each kind, over a map of orders. A search for "everything" is a
 * stream that stays open until the caller ends it: the kind that fills a connection.
 */
export function orderHandlers(slowness: Slowness): UntypedServiceImplementation {
  const orders = new Map(ORDERS.map((order) => [order.id, order]));
  const later = (answer: () => void) => setTimeout(answer, slowness.delayMs);

  const getOrder: handleUnaryCall<{ id: string }, Order> = (call, answer) => {
    later(() => {
      const order = orders.get(call.request.id);
      if (order === undefined) answer({ code: status.NOT_FOUND, details: "no such order" });
      else answer(null, order);
    });
  };

  const addOrder: handleUnaryCall<Order, { id: string }> = (call, answer) => {
    later(() => {
      if (orders.size < 1_000) orders.set(call.request.id, call.request);
      answer(null, { id: call.request.id });
    });
  };

  const searchOrders: handleServerStreamingCall<{ item: string }, Order> = (call) => {
    const { item } = call.request;
    later(() => {
      for (const order of orders.values()) if (order.items.includes(item)) call.write(order);
      if (item !== "everything") call.end();
    });
  };

  const updateOrders: handleClientStreamingCall<Order, { updated: number }> = (call, answer) => {
    let updated = 0;
    call.on("data", (order: Order) => {
      if (orders.has(order.id)) orders.set(order.id, order);
      updated += 1;
    });
    call.on("end", () => later(() => answer(null, { updated })));
  };

  const processOrders: handleBidiStreamingCall<{ id: string }, object> = (call) => {
    const byDestination = new Map<string, Order[]>();
    call.on("data", ({ id }: { id: string }) => {
      const order = orders.get(id);
      if (order === undefined) return;
      const shipment = byDestination.get(order.destination) ?? [];
      byDestination.set(order.destination, [...shipment, order]);
    });
    call.on("end", () => {
      later(() => {
        for (const [id, combined] of byDestination)
          call.write({ id, status: "READY", orders: combined });
        call.end();
      });
    });
  };

  return { getOrder, addOrder, searchOrders, updateOrders, processOrders };
}
