import type { FindingsReport } from "../model/finding.ts";
import { findingsDocument } from "../model/findings-document.ts";
import type { ListenAddress } from "../model/settings.ts";
import type { Clock } from "../model/time.ts";
import { refusal } from "./guard.ts";
import { type PageIdentity, statusPage } from "./page/status-page.ts";
import { createRate } from "./rate.ts";
import { rationed } from "./ration.ts";
import { jsonReply, jsonTextReply, type Reply } from "./reply.ts";
import { answer, type Route } from "./routes.ts";
import { type Listening, startServer } from "./server.ts";

/** How an order of an operator was taken. */
export type Order =
  | { readonly ok: true; readonly text: string }
  /** Refused for what the operator can mend: each fault in one line. */
  | { readonly ok: false; readonly faults: readonly string[] };

export interface AdminOptions {
  readonly address: ListenAddress;
  readonly clock: Clock;
  /** Asked off loopback only; read anew for each request. */
  readonly token: () => Promise<string | undefined>;
  readonly identity: PageIdentity;
  readonly findings: () => FindingsReport;
  /** A snapshot file's text. */
  readonly snapshot: () => string;
  readonly reload: () => Promise<Order>;
  readonly drain: () => Order;
  readonly drill: (code: string, target: string | undefined) => Order;
  readonly failed: (thrown: unknown) => void;
}

/** Each starts a process, or calls a person. A drain is not counted: an app that ends must be let go. */
const ORDER_RATE = { burst: 20, perSecond: 1 };

/**
 * The operator's listener, on loopback by default: what was found, the snapshot, the status page, and
 * three orders. Whatever is asked is refused first, where Host, Origin or token say so.
 */
export function startAdminServer(options: AdminOptions): Promise<Listening> {
  const { identity, findings, clock, failed } = options;
  const page = (render: () => Reply) => rationed(clock, render);
  const mayOrder = createRate(ORDER_RATE, clock);
  const ordered = async (order: () => Order | Promise<Order>): Promise<Reply> =>
    mayOrder("") ? orderReply(await order()) : TOO_MANY_ORDERS;
  const routes: readonly Route[] = [
    { method: "GET", path: "/", answer: page(() => statusPage(findings(), identity)) },
    {
      method: "GET",
      path: "/findings",
      answer: page(() => jsonReply(200, findingsDocument(findings(), identity))),
    },
    {
      method: "GET",
      path: "/snapshot",
      answer: page(() => jsonTextReply(200, options.snapshot())),
    },
    { method: "POST", path: "/-/reload", answer: () => ordered(options.reload) },
    { method: "POST", path: "/-/drain", answer: () => orderReply(options.drain()) },
    {
      method: "POST",
      path: "/-/drill",
      answer({ query }) {
        const code = query.get("code");
        if (code === null) return orderReply({ ok: false, faults: ["which code? ?code=CODE"] });
        return ordered(() => options.drill(code, query.get("target") ?? undefined));
      },
    },
  ];
  return startServer({
    address: options.address,
    clock,
    answer: async (request) => (await refusal(options, request)) ?? answer(routes, request),
    failed,
  });
}

const TOO_MANY_ORDERS = jsonReply(429, { ok: false, faults: ["too many orders: wait a second"] });

function orderReply(order: Order): Reply {
  return order.ok ? jsonReply(200, { ...order }) : jsonReply(400, { ...order });
}
