import type { Expectation } from "./facts/expectation.ts";
import type { Services } from "./facts/services.ts";

type Told = Pick<Expectation, "health" | "probes">;

/** The server as a whole, and every name of health that the user configured. */
export function isExpectedService(service: string, { health }: Pick<Told, "health">): boolean {
  return service === "" || health.services.includes(service);
}

/**
 * Whether a name of health is one that calls go to: expected, of a probe's method, or of a service that
 * reflection describes; where there is no reflection, one that has a package, as gRPC's services have. Any
 * other may be a role, as a leader's or a shard's: NOT_SERVING is no fault there.
 */
export function isServiceOfCalls(
  service: string,
  expectation: Told,
  services: Services | undefined,
): boolean {
  if (isExpectedService(service, expectation)) return true;
  const isOf = (method: string) => method.startsWith(`${service}/`);
  if (expectation.probes.some(({ method }) => isOf(method))) return true;
  const methods = services?.methods;
  return methods === undefined ? service.includes(".") : methods.some(({ name }) => isOf(name));
}
