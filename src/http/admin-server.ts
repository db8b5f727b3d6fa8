import type { FindingsReport } from "../model/finding.ts";
import { findingsDocument } from "../model/findings-document.ts";
import type { ListenAddress } from "../model/settings.ts";
import { refusal } from "./guard.ts";
import { type PageIdentity, statusPage } from "./page/status-page.ts";
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

/**
 * The operator's listener, on loopback by default: what was found, the snapshot, the status page, and
 * three orders. Whatever is asked is refused first, where Host, Origin or token say so.
 */
export function startAdminServer(options: AdminOptions): Promise<Listening> {
  const { identity, findings, failed } = options;
  const routes: readonly Route[] = [
    { method: "GET", path: "/", answer: () => statusPage(findings(), identity) },
    {
      method: "GET",
      path: "/findings",
      answer: () => jsonReply(200, findingsDocument(findings(), identity)),
    },
    { method: "GET", path: "/snapshot", answer: () => jsonTextReply(200, options.snapshot()) },
    {
      method: "POST",
      path: "/-/reload",
      answer: async () => orderReply(await options.reload()),
    },
    { method: "POST", path: "/-/drain", answer: () => orderReply(options.drain()) },
    {
      method: "POST",
      path: "/-/drill",
      answer({ query }) {
        const code = query.get("code");
        if (code === null) return orderReply({ ok: false, faults: ["which code? ?code=CODE"] });
        return orderReply(options.drill(code, query.get("target") ?? undefined));
      },
    },
  ];
  return startServer({
    address: options.address,
    answer: async (request) => (await refusal(options, request)) ?? answer(routes, request),
    failed,
  });
}

function orderReply(order: Order): Reply {
  return order.ok ? jsonReply(200, { ...order }) : jsonReply(400, { ...order });
}
