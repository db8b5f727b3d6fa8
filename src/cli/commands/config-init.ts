import { type DiscoveredMethod, startingFile } from "../../config/starting-file.ts";
import { CallError } from "../../grpc/call-error.ts";
import { registryFromFiles } from "../../grpc/descriptors.ts";
import { listHealth } from "../../grpc/health.ts";
import { type FileLimits, readFiles, readMethods } from "../../grpc/reflection.ts";
import type { Connection } from "../../grpc/transport.ts";
import type { Call } from "../command.ts";
import { EXIT } from "../exit.ts";
import { withConnection } from "../with-connection.ts";

/** Health and reflection are each done without. */
const ANYTHING = { service: "gRPC", fix: "Point at a gRPC port." };

/** Writes a starting file from what health and reflection name; what is not served is left out. */
export function run(call: Call): Promise<number> {
  return withConnection(call, ANYTHING, async (connection, { signal, target }) => {
    const services = await orNone(call, "health does not list its services", () =>
      listHealth(connection, { signal }),
    );
    const methods = await orNone(call, "reflection is not served", () =>
      methodsOf(connection, { signal, clock: call.program.clock }),
    );
    const { authority, tls } = target;
    call.program.stdout.write(
      startingFile({
        address: target.address,
        services,
        methods,
        ...(authority === undefined ? {} : { authority }),
        ...(tls === undefined ? {} : { tls }),
      }),
    );
    return EXIT.fine;
  });
}

/** google.protobuf.MethodOptions.IdempotencyLevel: NO_SIDE_EFFECTS (descriptor.proto). */
const NO_SIDE_EFFECTS = 1;

async function methodsOf(
  connection: Connection,
  limits: FileLimits,
): Promise<readonly DiscoveredMethod[]> {
  const shapes = await readMethods(connection, limits);
  const services = [...new Set(shapes.map(({ name }) => name.split("/")[0] ?? ""))];
  const harmless = new Set<string>();
  for (const service of services) {
    const registry = registryFromFiles(await readFiles(connection, service, limits));
    for (const method of registry.getService(service)?.methods ?? []) {
      if (Number(method.idempotency) === NO_SIDE_EFFECTS) harmless.add(`${service}/${method.name}`);
    }
  }
  return shapes.map((shape) => ({ ...shape, hasNoSideEffects: harmless.has(shape.name) }));
}

/** Absent services are no failure here: the file says less. */
async function orNone<T>(
  call: Call,
  missing: string,
  read: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  try {
    return await read();
  } catch (thrown) {
    if (!(thrown instanceof CallError) || thrown.fault.status === undefined) throw thrown;
    call.program.stderr.write(`${missing} (${thrown.fault.status})\n`);
    return [];
  }
}
