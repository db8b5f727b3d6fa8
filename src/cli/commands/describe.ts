import { readFile } from "node:fs/promises";
import { describeSymbol } from "../../grpc/describe.ts";
import { registryFromFiles, registryFromSet } from "../../grpc/descriptors.ts";
import { listServices, readFiles } from "../../grpc/reflection.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { withConnection } from "../with-connection.ts";

/** The services of a server, or the declaration of one symbol: by reflection, or from a protoset. */
export async function run(call: Call): Promise<number> {
  const [, symbol] = call.given.positionals;
  const { protoset } = call.given.texts;
  if (protoset !== undefined) return describeFromSet(call, protoset, symbol);
  return withConnection(call, async (connection, limits) => {
    if (symbol === undefined) {
      const services = await listServices(connection, limits);
      call.program.stdout.write(services.map((name) => `${name}\n`).join(""));
      return EXIT.fine;
    }
    const name = symbol.replace(/^\./, "").replace("/", ".");
    const registry = registryFromFiles(await readFiles(connection, name, limits));
    return print(call, symbol, describeSymbol(registry, symbol));
  });
}

async function describeFromSet(
  call: Call,
  file: string,
  symbol: string | undefined,
): Promise<number> {
  if (symbol === undefined) throw new UsageError("SYMBOL is missing; a protoset needs one");
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) throw new UsageError(`${file} cannot be read`);
  return print(call, symbol, describeSymbol(registryFromSet(bytes), symbol));
}

function print({ program }: Call, symbol: string, text: string | undefined): number {
  if (text === undefined) {
    program.stderr.write(`${symbol} is not known there\n`);
    return EXIT.found;
  }
  program.stdout.write(`${text}\n`);
  return EXIT.fine;
}
