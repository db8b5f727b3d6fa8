import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";

const PROTO = fileURLToPath(new URL("../../../src/proto/order/order.proto", import.meta.url));

export const DEFINITION = protoLoader.loadSync(PROTO, { longs: String, defaults: true });
const { OrderService } = grpc.loadPackageDefinition(DEFINITION).order;
export const ORDER_SERVICE = OrderService.service;

/** A client with a channel of its own; plaintext, as the callers of the suite are. */
export function dial(target, options = {}) {
  return new OrderService(target, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_reconnect_backoff_ms": 1_000,
    ...options,
  });
}

/** Hands each line of standard input to `perform`, and says what came of it. */
export function obey(perform) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => void answer(perform, line));
  lines.on("close", () => process.exit(0));
}

async function answer(perform, line) {
  const [verb, ...words] = line.trim().split(/\s+/);
  try {
    say((await perform(verb, words)) ?? {});
  } catch (thrown) {
    say({ error: thrown.message });
  }
}

export function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

export function fail(text) {
  process.stderr.write(`peer: ${text}\n`);
  process.exit(1);
}

/** A duration as Go writes it: `250ms`, `2s`, `1m`. */
export function milliseconds(text) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`no duration: ${text}`);
  return Number(number) * { ms: 1, s: 1_000, m: 60_000 }[unit ?? "ms"];
}
