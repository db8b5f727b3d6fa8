import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { DEFINITION, dial, milliseconds, ORDER_SERVICE, obey, say } from "./lines.mjs";

const CALL_MS = 500;

/** The sample service, and the order in which it is told to be slow. */
export async function serve(words) {
  const { values } = parseArgs({
    args: words,
    options: {
      listen: { type: "string", default: "127.0.0.1:0" },
      "max-streams": { type: "string", default: "0" },
      "max-age": { type: "string", default: "0" },
      health: { type: "string", default: "true" },
      channelz: { type: "string", default: "true" },
      reflection: { type: "string", default: "true" },
      cert: { type: "string", default: "" },
      key: { type: "string", default: "" },
      "client-ca": { type: "string", default: "" },
      calls: { type: "string", default: "" },
      policy: { type: "string", default: "" },
    },
  });
  const server = new grpc.Server(limits(values));
  const slowness = { delayMs: 0 };
  server.addService(ORDER_SERVICE, handlers(slowness));
  const health = new HealthImplementation({ "": "SERVING", "order.OrderService": "SERVING" });
  if (values.health === "true") health.addToServer(server);
  if (values.channelz === "true") grpc.addAdminServicesToServer(server);
  if (values.reflection === "true") new ReflectionService(DEFINITION).addToServer(server);
  if (values.calls !== "") callUpstream(values.calls, values.policy);

  const port = await new Promise((resolve, reject) => {
    server.bindAsync(values.listen, credentials(values), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  say({ address: values.listen.replace(/:\d+$/, `:${port}`), port });
  obey((verb, rest) => command({ server, health, slowness }, verb, rest));
}

function limits({ "max-streams": streams, "max-age": age }) {
  const ageMs = milliseconds(age);
  return {
    ...(Number(streams) > 0 && { "grpc.max_concurrent_streams": Number(streams) }),
    ...(ageMs > 0 && {
      "grpc.max_connection_age_ms": ageMs,
      "grpc.max_connection_age_grace_ms": 5_000,
    }),
  };
}

function credentials({ cert, key, "client-ca": clientCa }) {
  if (cert === "") return grpc.ServerCredentials.createInsecure();
  const pair = { cert_chain: readFileSync(cert), private_key: readFileSync(key) };
  const demanded = clientCa === "" ? null : readFileSync(clientCa);
  return grpc.ServerCredentials.createSsl(demanded, [pair], demanded !== null);
}

function handlers(slowness) {
  const order = { id: "order-1", items: ["laptop"], price: 100, destination: "Oslo" };
  const later = (answer) => {
    setTimeout(() => answer(), slowness.delayMs);
  };
  return {
    GetOrder: (call, done) => {
      const missing = { code: grpc.status.NOT_FOUND, details: "no such order" };
      later(() => (call.request.id === "missing" ? done(missing) : done(null, order)));
    },
    AddOrder: (call, done) => later(() => done(null, { id: call.request.id })),
    // A search for "everything" stays open until the caller ends it.
    SearchOrders: (call) => {
      call.write(order);
      if (call.request.item !== "everything") call.end();
    },
    UpdateOrders: (call, done) => {
      let updated = 0;
      call.on("data", () => {
        updated += 1;
      });
      call.on("end", () => done(null, { updated }));
    },
    ProcessOrders: (call) => {
      call.on("data", ({ id }) => call.write({ id, status: "READY" }));
      call.on("end", () => call.end());
    },
  };
}

/** Makes the server a client too: two calls a second, results ignored. */
function callUpstream(target, policy) {
  const balanced = JSON.stringify({ loadBalancingConfig: [{ [policy]: {} }] });
  const client = dial(target, policy === "" ? {} : { "grpc.service_config": balanced });
  setInterval(() => {
    client.getOrder({ id: "order-1" }, { deadline: Date.now() + 1_000 }, () => undefined);
  }, CALL_MS);
}

function command({ server, health, slowness }, verb, [first, service = ""]) {
  switch (verb) {
    case "delay":
      slowness.delayMs = milliseconds(first);
      return undefined;
    case "health":
      health.setStatus(service, first);
      return undefined;
    case "graceful-stop":
      return stopGracefully(server, health);
    case "stop":
      server.forceShutdown();
      return undefined;
    default:
      throw new Error(`unknown command ${verb}`);
  }
}

function stopGracefully(server, health) {
  for (const service of ["", "order.OrderService"]) health.setStatus(service, "NOT_SERVING");
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) =>
      error === undefined ? resolve({ ms: Math.round(performance.now() - begin) }) : reject(error),
    );
  });
}
