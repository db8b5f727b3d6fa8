import type { Services } from "../../model/facts/services.ts";
import { defineFold } from "../fold.ts";

const MOST_METHODS = 500;
/** Discovery comes once an hour, and on each reconnect. */
const MAX_AGE_MS = 2.5 * 3_600_000;

/** What the server says that it serves. Health and reflection tell it apart, so neither is dropped. */
export const servicesFold = defineFold({
  fact: "services",
  of: ["app", "upstream"],
  reads: ["health/services"],
  bound: "500 methods; the source bounds the names of health",
  maxAgeMs: MAX_AGE_MS,
  inNewEpoch: "goes",
  fold(previous: Services | undefined, { health, methods }) {
    return {
      ...previous,
      ...(health === undefined ? {} : { health }),
      ...(methods === undefined ? {} : { methods: methods.slice(0, MOST_METHODS) }),
    };
  },
});
