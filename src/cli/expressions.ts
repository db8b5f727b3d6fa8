import { readFileSync } from "node:fs";
import type { Breach, ProbeCall } from "../config/rules/rule.ts";
import { CallError } from "../grpc/call-error.ts";
import { registryFromSet } from "../grpc/descriptors.ts";
import { expressionFault } from "../grpc/expect.ts";
import type { ResolvedMethod } from "../grpc/method-resolver.ts";
import { encodeRequests, methodNamed, RequestError } from "../grpc/proto-json.ts";
import type { Expressions } from "./read-settings.ts";

/** CEL and descriptor sets, for a configuration that uses them: heavy, so loaded on demand. */
export const EXPRESSIONS: Expressions = {
  celFault: (expression) => expressionFault(expression),
  methodsOf,
  callBreaches,
};

/** The methods of a descriptor set, or why it is none. */
function methodsOf(file: string): ReturnType<NonNullable<Expressions["methodsOf"]>> {
  try {
    const types = [...registryFromSet(readFileSync(file))];
    const services = types.filter((type) => type.kind === "service");
    return {
      methods: services.flatMap(({ typeName, methods }) =>
        methods.map(({ name }) => `${typeName}/${name}`),
      ),
    };
  } catch (thrown) {
    if (thrown instanceof CallError) return { fault: "no descriptor set, or an incomplete one" };
    return { fault: (thrown as NodeJS.ErrnoException).code ?? "it cannot be read" };
  }
}

/** The request and the assertions of a call, held to the types of its method. */
function callBreaches(file: string, call: ProbeCall): readonly Breach[] {
  const registry = registryFromSet(readFileSync(file));
  const method = methodNamed(registry, call.method);
  if (method === undefined) return []; // told by the rule of the methods
  const assertions = call.that.flatMap((expression, index): readonly Breach[] => {
    const fault = expressionFault(expression, { registry, output: method.output });
    if (fault === undefined) return [];
    const found = `${JSON.stringify(expression)} (${fault})`;
    const allowed = `a CEL expression over ${method.output.typeName} that is true or false`;
    return [{ path: ["expect", "that", index], found, allowed }];
  });
  return [...requestBreaches({ registry, method }, call), ...assertions];
}

function requestBreaches(
  { registry, method }: ResolvedMethod,
  { requests }: ProbeCall,
): readonly Breach[] {
  try {
    encodeRequests(registry, method, requests);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof RequestError)) throw thrown;
    const { typeName, fields } = method.input;
    if (thrown.unknownKey === undefined)
      return [{ path: ["request"], found: thrown.message, allowed: `ProtoJSON of ${typeName}` }];
    const { index, key } = thrown.unknownKey;
    const names = fields.map(({ name }) => name);
    const allowed = `a field of ${typeName}: ${names.join(", ") || "it has none"}`;
    const found = `an unknown field, ${key}`;
    return [{ path: ["request", index, key], found, allowed, among: names, atKey: true }];
  }
}
