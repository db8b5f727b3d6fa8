import { open } from "node:fs/promises";
import type { DescMethod, FileRegistry } from "@bufbuild/protobuf";
import type { Clock } from "../model/time.ts";
import { CallError } from "./call-error.ts";
import { registryFromSet, registryInTurns } from "./descriptors.ts";
import { methodNamed } from "./proto-json.ts";
import { listServices, readFiles } from "./reflection.ts";
import type { Connection } from "./transport.ts";

/** A method with the registry that knows its types. */
export interface ResolvedMethod {
  readonly registry: FileRegistry;
  readonly method: DescMethod;
}

/** The source of the types has no such method; what it has in its place, by full names. */
export interface UnknownMethod {
  readonly unknown: "service" | "method";
  readonly known: readonly string[];
}

export interface MethodQuestion {
  /** `package.Service/Method`. */
  readonly method: string;
  /** A FileDescriptorSet's path; absent = server reflection. */
  readonly protoset?: string;
  connection(): Promise<Connection>;
  readonly signal: AbortSignal;
}

const MAX_SET_BYTES = 16 * 1024 * 1024;

/**
 * Finds methods and their types, once: for reflection per connection, since a new process may describe
 * itself otherwise; for a descriptor set per version of the file.
 *
 * Where the source has no such method, it tells what it has. Throws `CallError`: of the connection, of reflection
 * (UNIMPLEMENTED is a capability), or with reason `descriptor` where the descriptors are no use.
 */
export class MethodResolver {
  readonly #clock: Clock;
  readonly #reflected = new WeakMap<Connection, Map<string, Promise<FileRegistry>>>();
  readonly #sets = new Map<string, { readonly version: string; readonly registry: FileRegistry }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async resolve(question: MethodQuestion): Promise<ResolvedMethod | UnknownMethod> {
    const registry =
      question.protoset === undefined
        ? await this.#reflect(question)
        : await this.#read(question.protoset);
    if (registry === undefined) return { unknown: "service", known: await servicesOf(question) };
    const method = methodNamed(registry, question.method);
    return method === undefined ? unknownIn(registry, question.method) : { registry, method };
  }

  async #reflect({ method, connection, signal }: MethodQuestion) {
    const service = serviceOf(method);
    const via = await connection();
    const known = this.#reflected.get(via) ?? new Map<string, Promise<FileRegistry>>();
    this.#reflected.set(via, known);
    const found = known.get(service) ?? this.#describe(via, service, signal);
    known.set(service, found);
    try {
      return await found;
    } catch (thrown) {
      // What failed is asked again: the next run may have better luck.
      known.delete(service);
      const isUnknown = thrown instanceof CallError && thrown.fault.status === "NOT_FOUND";
      if (isUnknown && thrown.fault.reason === "descriptor") return undefined;
      throw thrown;
    }
  }

  async #describe(via: Connection, service: string, signal: AbortSignal): Promise<FileRegistry> {
    const clock = this.#clock;
    return registryInTurns(await readFiles(via, service, { signal, clock }), clock);
  }

  async #read(path: string): Promise<FileRegistry> {
    const file = await open(path, "r").catch(unreadable);
    try {
      const { size, mtimeMs } = await file.stat();
      const version = `${size} ${mtimeMs}`;
      const known = this.#sets.get(path);
      if (known?.version === version) return known.registry;
      if (size > MAX_SET_BYTES) throw new Error(`larger than ${MAX_SET_BYTES} bytes`);
      const registry = registryFromSet(await file.readFile());
      this.#sets.set(path, { version, registry });
      return registry;
    } catch (thrown) {
      return unreadable(thrown);
    } finally {
      await file.close();
    }
  }
}

function serviceOf(method: string): string {
  return method.replace(/^\//, "").split("/", 1)[0] ?? "";
}

/** For a hint: without them it is told all the same that there is no such service. */
async function servicesOf({ connection, signal }: MethodQuestion): Promise<readonly string[]> {
  const none = () => [];
  return connection()
    .then((via) => listServices(via, { signal }))
    .catch(none);
}

function unknownIn(registry: FileRegistry, method: string): UnknownMethod {
  const service = registry.getService(serviceOf(method));
  if (service !== undefined) {
    const known = service.methods.map(({ name }) => `${service.typeName}/${name}`);
    return { unknown: "method", known };
  }
  const services = [...registry].filter(({ kind }) => kind === "service");
  return { unknown: "service", known: services.map(({ typeName }) => typeName) };
}

function unreadable(thrown: unknown): never {
  if (thrown instanceof CallError) throw thrown;
  throw new CallError({ phase: "rpc", reason: "descriptor", cause: thrown });
}
