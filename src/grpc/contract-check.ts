import type { DescMethod } from "@bufbuild/protobuf";
import type { ContractFacts } from "../model/facts/probes.ts";
import type { Clock } from "../model/time.ts";
import { CallError } from "./call-error.ts";
import type { MethodResolver } from "./method-resolver.ts";
import type { Connection } from "./transport.ts";
import { wireDifferences } from "./wire-differences.ts";

/** How long a server may take to describe itself. */
const PATIENCE_MS = 5000;

export interface ContractQuestion {
  /** `package.Service/Method`. */
  readonly method: string;
  readonly protoset: string;
  connection(signal: AbortSignal): Promise<Connection>;
  readonly signal: AbortSignal;
}

/**
 * Holds a method of a descriptor set against what the server's reflection says of it, once for each
 * connection and version of the file: a new process may describe itself otherwise, an old one does not.
 * What reflection does not tell is asked again on the next connection.
 */
export class ContractCheck {
  readonly #resolver: MethodResolver;
  readonly #clock: Clock;
  readonly #checked = new WeakMap<
    Connection,
    WeakMap<DescMethod, Promise<ContractFacts | undefined>>
  >();

  constructor(resolver: MethodResolver, clock: Clock) {
    this.#resolver = resolver;
    this.#clock = clock;
  }

  /** `undefined` where one of the two does not tell. */
  async check(question: ContractQuestion): Promise<ContractFacts | undefined> {
    const { method, protoset } = question;
    const signal = this.#clock.deadline(PATIENCE_MS, question.signal);
    try {
      const connection = await question.connection(signal);
      const via = { method, signal, connection: async () => connection };
      const ours = await this.#resolver.resolve({ ...via, protoset });
      if ("unknown" in ours) return undefined;
      const known = this.#checked.get(connection) ?? new WeakMap();
      this.#checked.set(connection, known);
      const checked = known.get(ours.method) ?? this.#compare(ours.method, via);
      known.set(ours.method, checked);
      return await checked;
    } catch (thrown) {
      return unlessOurs(thrown);
    }
  }

  async #compare(
    ours: DescMethod,
    via: Parameters<MethodResolver["resolve"]>[0],
  ): Promise<ContractFacts | undefined> {
    try {
      const served = await this.#resolver.resolve(via);
      return "unknown" in served ? undefined : wireDifferences(ours, served.method);
    } catch (thrown) {
      return unlessOurs(thrown);
    }
  }
}

/** A bug of ours is told by whoever asked. */
function unlessOurs(thrown: unknown): undefined {
  if (!(thrown instanceof CallError)) throw thrown;
}
