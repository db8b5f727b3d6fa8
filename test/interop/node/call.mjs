import { parseArgs } from "node:util";
import { status } from "@grpc/grpc-js";
import { dial, milliseconds, obey, say } from "./lines.mjs";

/** Sends unary calls at a rate, each with a deadline, and may hold streams open. */
export async function call(words) {
  const { values } = parseArgs({
    args: words,
    options: {
      target: { type: "string" },
      rate: { type: "string", default: "20" },
      connections: { type: "string", default: "1" },
      deadline: { type: "string", default: "1s" },
    },
  });
  const caller = {
    // A connection each; calls go over the first, streams are held on all.
    clients: Array.from({ length: Number(values.connections) }, () => dial(values.target)),
    rate: Number(values.rate),
    deadlineMs: milliseconds(values.deadline),
    patienceMs: 0,
    results: {},
    held: [],
  };
  void run(caller);
  say({ calling: values.target });
  obey((verb, rest) => command(caller, verb, rest));
}

async function run(caller) {
  for (;;) {
    const waitMs = caller.rate === 0 ? 50 : 1_000 / caller.rate;
    await new Promise((resolve) => {
      setTimeout(resolve, waitMs);
    });
    if (caller.rate > 0) once(caller);
  }
}

function once({ clients: [client], deadlineMs, patienceMs, results }) {
  const options = { deadline: Date.now() + deadlineMs };
  const sent = client.getOrder({ id: "order-1" }, options, (error) => {
    const code = status[error?.code ?? status.OK];
    results[code] = (results[code] ?? 0) + 1;
  });
  if (patienceMs > 0) setTimeout(() => sent.cancel(), patienceMs);
}

function command(caller, verb, [first]) {
  switch (verb) {
    case "rate":
      caller.rate = Number(first);
      return undefined;
    case "deadline":
      caller.deadlineMs = milliseconds(first);
      return undefined;
    case "patience":
      caller.patienceMs = milliseconds(first);
      return undefined;
    case "hold":
      return hold(caller, Number(first));
    case "stats":
      return { results: caller.results };
    default:
      throw new Error(`unknown command ${verb}`);
  }
}

/** Ends the streams that are held, and opens as many anew on each connection; 0 = none. */
function hold(caller, count) {
  for (const stream of caller.held) stream.cancel();
  caller.held = caller.clients.flatMap((client) =>
    Array.from({ length: count }, () => watch(client)),
  );
  return undefined;
}

function watch(client) {
  const stream = client.searchOrders({ item: "everything" });
  stream.on("data", () => undefined);
  stream.on("error", () => undefined);
  return stream;
}
