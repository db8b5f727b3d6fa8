import type { FileRegistry } from "@bufbuild/protobuf";
import type { ProbeSpec } from "../model/probe-spec.ts";
import type { ResolvedMethod } from "./method-resolver.ts";
import type { Missing } from "./missing.ts";
import { encodeRequests, RequestError } from "./proto-json.ts";

/**
 * Holds configured calls to the types of their method before they are made. What never fitted is the
 * configuration's mistake, and is told as what the probe lacks. What fitted the types that the server had
 * before is the server's change: it goes on, and fails.
 */
export class FittingCalls {
  readonly #fitted = new WeakMap<ProbeSpec, FileRegistry>();

  /** The messages as bytes, or what is wrong. Throws `RequestError` where they fitted once. */
  async fit(spec: ProbeSpec, types: ResolvedMethod): Promise<readonly Uint8Array[] | Missing> {
    const { registry, method } = types;
    const before = this.#fitted.get(spec);
    try {
      const requests = encodeRequests(registry, method, spec.requests);
      if (before === registry) return requests;
      const fault = await assertionFault(spec, types);
      if (fault !== undefined && before === undefined) return unfitAssertion(fault);
      if (fault === undefined) this.#fitted.set(spec, registry);
      return requests;
    } catch (thrown) {
      if (!(thrown instanceof RequestError) || before !== undefined) throw thrown;
      return { part: "request", reason: thrown.message, fix: CORRECT_REQUEST };
    }
  }
}

const CORRECT_REQUEST =
  "Correct the request (`request` of the probe, -d of a command): the server's types have no such message.";

/** CEL is loaded by the first run that has an expression. */
async function assertionFault(
  { expect: { that } }: ProbeSpec,
  { registry, method }: ResolvedMethod,
): Promise<string | undefined> {
  if (that.length === 0) return undefined;
  const { expressionFault } = await import("./expect.ts");
  const faults = that.flatMap((expression) => {
    const fault = expressionFault(expression, { registry, output: method.output });
    return fault === undefined ? [] : [`${expression}: ${fault}`];
  });
  return faults[0];
}

function unfitAssertion(reason: string): Missing {
  const fix =
    "Correct `expect.that` of the probe: it must be true or false of the method's answer.";
  return { part: "assertions", reason, fix };
}
