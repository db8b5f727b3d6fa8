import { CallError } from "../../grpc/call-error.ts";
import { describeSymbol, symbolsOf } from "../../grpc/describe.ts";
import { registryFromFiles, registryFromSet } from "../../grpc/descriptors.ts";
import { knownSymbols } from "../../grpc/known-symbols.ts";
import { type FileLimits, listServices, readFiles } from "../../grpc/reflection.ts";
import type { Connection } from "../../grpc/transport.ts";
import { nearest } from "../../model/nearest.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { readProtoset } from "../files-on-the-line.ts";
import { withConnection } from "../with-connection.ts";

/** The services of a server, or the declaration of one symbol: by reflection, or from a protoset. */
export async function run(call: Call): Promise<number> {
  const [, symbol] = call.given.positionals;
  if (call.given.texts["protoset"] !== undefined) return describeFromSet(call, symbol);
  return withConnection(call, REFLECTION, async (connection, limits) => {
    if (symbol === undefined) {
      const services = await listServices(connection, limits);
      call.program.stdout.write(services.map((name) => `${name}\n`).join(""));
      return EXIT.fine;
    }
    const bounds = { ...limits, clock: call.program.clock };
    const text = await describeFrom(connection, symbol, bounds);
    if (text !== undefined) return print(call, text);
    return tellUnknown(call, symbol, await knownSymbols(connection, bounds));
  });
}

const REFLECTION = {
  service: "reflection",
  fix: "Register the reflection service with the server, or give -protoset FILE.",
};

async function describeFrom(
  connection: Connection,
  symbol: string,
  limits: FileLimits,
): Promise<string | undefined> {
  try {
    return describeSymbol(
      registryFromFiles(await readFiles(connection, plainName(symbol), limits)),
      symbol,
    );
  } catch (thrown) {
    const isUnknown = thrown instanceof CallError && thrown.fault.status === "NOT_FOUND";
    if (isUnknown) return undefined;
    throw thrown;
  }
}

async function describeFromSet(call: Call, symbol: string | undefined): Promise<number> {
  if (symbol === undefined) throw new UsageError("SYMBOL is missing; a protoset needs one");
  const registry = registryFromSet(await readProtoset(call.given));
  const text = describeSymbol(registry, symbol);
  return text === undefined ? tellUnknown(call, symbol, symbolsOf(registry)) : print(call, text);
}

function print({ program }: Call, text: string): number {
  program.stdout.write(`${text}\n`);
  return EXIT.fine;
}

function tellUnknown({ program }: Call, symbol: string, known: readonly string[]): number {
  const name = plainName(symbol);
  const last = name.slice(name.lastIndexOf(".") + 1);
  const meant = known.find((one) => one.endsWith(`.${last}`)) ?? nearest(name, known);
  const hint = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  program.stderr.write(`${symbol} is not known there${hint}\n`);
  return EXIT.found;
}

/** `.order.Order` and `order.OrderService/GetOrder` as the registry has them. */
function plainName(symbol: string): string {
  return symbol.replace(/^\./, "").replace("/", ".");
}
