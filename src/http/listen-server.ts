import type { ListenAddress } from "../model/settings.ts";
import type { Clock } from "../model/time.ts";
import { rationed } from "./ration.ts";
import { type Reply, textReply } from "./reply.ts";
import { answer, type Route } from "./routes.ts";
import { type Listening, startServer } from "./server.ts";
import type { TargetHealth } from "./target-health.ts";

/** What the open listener tells; every function reads the latest state and returns at once. */
export interface ListenOptions {
  readonly address: ListenAddress;
  readonly clock: Clock;
  readonly metrics: (
    accept: string | undefined,
  ) => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Which of the formats an Accept header gets: one word for each. */
  readonly formatOf: (accept: string | undefined) => string;
  /** The configuration runs and every source was started. */
  readonly ready: () => boolean;
  readonly targetHealth: (target: string, service: string) => TargetHealth;
  /** The target that is meant when a request names none. */
  readonly defaultTarget: () => string | undefined;
  readonly failed: (thrown: unknown) => void;
}

/** The listener that anybody may ask: metrics and health, nothing that changes or reveals anything. */
export function startListenServer(options: ListenOptions): Promise<Listening> {
  const healthy = () => textReply(200, "healthy");
  const metrics = metricsPages(options);
  const routes: readonly Route[] = [
    {
      method: "GET",
      path: "/metrics",
      answer: ({ headers }) => metrics(headers.accept),
    },
    { method: "GET", path: "/-/healthy", answer: healthy },
    { method: "GET", path: "/livez", answer: healthy },
    {
      method: "GET",
      path: "/-/ready",
      answer: () => (options.ready() ? textReply(200, "ready") : textReply(503, "not ready")),
    },
    {
      method: "GET",
      path: "/target/healthz",
      answer({ query }) {
        const target = query.get("target") ?? options.defaultTarget();
        if (target === undefined) return textReply(400, "which target? ?target=NAME&service=NAME");
        return healthReply(options.targetHealth(target, query.get("service") ?? ""));
      },
    },
  ];
  return startServer({
    address: options.address,
    clock: options.clock,
    answer: (request) => answer(routes, request),
    failed: options.failed,
  });
}

function healthReply(health: TargetHealth): Reply {
  switch (health.kind) {
    case "status":
      return textReply(health.status === "SERVING" ? 200 : 503, health.status);
    case "stale":
      return textReply(503, "no state that is new enough");
    case "not-configured":
      return textReply(404, "no such target or service in the configuration");
  }
}

/** One page for each format, whatever the words of the Accept that asks for it. */
function metricsPages({
  clock,
  metrics,
  formatOf,
}: ListenOptions): (accept: string | undefined) => Promise<Reply> {
  const pages = new Map<string, () => Promise<Reply>>();
  return (accept) => {
    const format = formatOf(accept);
    const known = pages.get(format);
    if (known !== undefined) return known();
    const page = rationed(clock, async () => ({ status: 200, ...(await metrics(accept)) }));
    pages.set(format, page);
    return page();
  };
}
