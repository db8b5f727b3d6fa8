import { readFileSync } from "node:fs";
import { CallError } from "../grpc/call-error.ts";
import { registryFromSet } from "../grpc/descriptors.ts";
import { expressionFault } from "../grpc/expect.ts";
import type { Expressions } from "./read-settings.ts";

/** CEL and descriptor sets, for a configuration that uses them: heavy, so loaded on demand. */
export const EXPRESSIONS: Expressions = { celFault: expressionFault, methodsOf };

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
