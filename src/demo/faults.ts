/** What a child process is asked to do: a fault of its own, or the cure of it. */
export type Command =
  | { readonly kind: "serve"; readonly as: Serving }
  | { readonly kind: "health"; readonly status: "SERVING" | "NOT_SERVING" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "block"; readonly while: string }
  | { readonly kind: "hold-streams"; readonly count: number };

/** How a server process listens on its port. */
export type Serving =
  | { readonly kind: "grpc"; readonly host: string; readonly certificate?: CertificateName }
  /** Accepts connections and never says a word. */
  | { readonly kind: "mute" };

export type CertificateName = "good" | "other-name" | "expired";

/** The processes of the sample world. */
export type Actor = "orders" | "payments" | "callers";

/** One way to break the world for real, and the finding that should name it. */
export interface Fault {
  /** What `--fault` takes, and what the alert will say. */
  readonly code: string;
  readonly key: string;
  /** For the menu: what happens to the service. */
  readonly title: string;
  /** Who is told to do what; `kill` ends the process, `dns` changes the zone. */
  readonly act:
    | { readonly on: Actor; readonly break: Command; readonly heal: Command }
    | { readonly kill: Actor }
    | { readonly block: Actor }
    | { readonly dns: "moved" | "nxdomain" };
}

const EVERYWHERE = "0.0.0.0";
const PLAIN: Serving = { kind: "grpc", host: EVERYWHERE };
const SECURE: Serving = { kind: "grpc", host: EVERYWHERE, certificate: "good" };

const serve = (as: Serving): Command => ({ kind: "serve", as });

/** A server of the demo, as it listens while nothing is broken. */
export const HEALTHY: Readonly<Record<"orders" | "payments", Serving>> = {
  orders: PLAIN,
  payments: SECURE,
};

/** The twelve. Each changes one thing, and `heal` puts that very thing back. */
export const FAULTS: readonly Fault[] = [
  {
    code: "tls-san-mismatch",
    key: "1",
    title: "payments gets a certificate for another name",
    act: {
      on: "payments",
      break: serve({ ...SECURE, certificate: "other-name" }),
      heal: serve(SECURE),
    },
  },
  {
    code: "tls-cert-expired",
    key: "2",
    title: "the certificate of payments expires",
    act: {
      on: "payments",
      break: serve({ ...SECURE, certificate: "expired" }),
      heal: serve(SECURE),
    },
  },
  {
    code: "tls-plaintext-mismatch",
    key: "3",
    title: "orders speaks TLS where plaintext is expected",
    act: { on: "orders", break: serve(SECURE), heal: serve(PLAIN) },
  },
  {
    code: "loopback-only",
    key: "4",
    title: "orders listens on 127.0.0.1 only",
    act: { on: "orders", break: serve({ ...PLAIN, host: "127.0.0.1" }), heal: serve(PLAIN) },
  },
  {
    code: "dns-stale",
    key: "5",
    title: "inventory moves to another address, orders stays connected to the old one",
    act: { dns: "moved" },
  },
  {
    code: "dns-failing",
    key: "6",
    title: "the name of inventory is gone from DNS",
    act: { dns: "nxdomain" },
  },
  {
    code: "deadline-storm",
    key: "7",
    title: "handlers of orders become slower than their callers' deadlines",
    act: {
      on: "orders",
      break: { kind: "delay", ms: 2_000 },
      heal: { kind: "delay", ms: 0 },
    },
  },
  {
    code: "stream-exhaustion",
    key: "8",
    title: "a caller holds as many streams as its connection may carry",
    act: {
      on: "callers",
      break: { kind: "hold-streams", count: 100 },
      heal: { kind: "hold-streams", count: 0 },
    },
  },
  {
    code: "health-not-serving",
    key: "9",
    title: "orders declares itself NOT_SERVING",
    act: {
      on: "orders",
      break: { kind: "health", status: "NOT_SERVING" },
      heal: { kind: "health", status: "SERVING" },
    },
  },
  {
    code: "app-frozen",
    key: "a",
    title: "the event loop of orders is blocked",
    act: { block: "orders" },
  },
  {
    code: "not-grpc",
    key: "b",
    title: "connections to orders are accepted and never answered",
    act: { on: "orders", break: serve({ kind: "mute" }), heal: serve(PLAIN) },
  },
  {
    code: "connection-refused",
    key: "c",
    title: "orders is gone",
    act: { kill: "orders" },
  },
];
