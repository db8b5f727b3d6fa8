import type { Expectation } from "./facts/expectation.ts";
import type { Services } from "./facts/services.ts";

type Told = Pick<Expectation, "health" | "probes">;

/** The server as a whole, and every name of health that the user configured. */
export function isExpectedService(service: string, { health }: Pick<Told, "health">): boolean {
  return service === "" || health.services.includes(service);
}

/**
 * Whether a name of health is one that calls go to: expected, of a probe's method, or of a service that
 * reflection describes. Any other may be a role, as a leader's or a shard's: NOT_SERVING is no fault there.
 */
export function isServiceOfCalls(
  service: string,
  expectation: Told,
  services: Services | undefined,
): boolean {
  if (isExpectedService(service, expectation)) return true;
  const methods = [...expectation.probes.map(({ method }) => method), ...namesOf(services)];
  return methods.some((method) => method.startsWith(`${service}/`));
}

function namesOf(services: Services | undefined): readonly string[] {
  return (services?.methods ?? []).map(({ name }) => name);
}
