import type { LoadOptions } from "../../src/config/load.ts";

/** A CEL parser and a descriptor set, as the agent gives them, for the gallery of bad files. */
export const SURROUNDINGS: Partial<LoadOptions> = {
  celFault: (expression) =>
    expression.endsWith(">") ? `1:${expression.length + 1}: unexpected end` : undefined,
  methodsOf: () => ({ methods: ["order.OrderService/GetOrder", "order.OrderService/AddOrder"] }),
};
