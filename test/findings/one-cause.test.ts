import { describe, expect, it } from "vitest";
import { DETECTORS } from "../../src/detectors/index.ts";
import type { Symptom } from "../../src/model/finding.ts";
import { aCourse, aSymptom } from "../support/findings.ts";
import { aTarget } from "../support/targets.ts";

/**
 * Every pair of codes that one fault can raise together, seen at the same time by the real declarations:
 * told is the root alone, and the other is listed as its consequence.
 */
type Words = Pick<Partial<Symptom>, "subject" | "evidence">;

interface Pairs {
  /** Codes that explain the effect when it looks like this. */
  readonly roots: readonly string[];
  readonly effect?: Words;
  readonly root?: Words;
}

const UPSTREAM = "inventory.shop.svc:50051";
const targets = [
  aTarget("127.0.0.1:50051"),
  aTarget(UPSTREAM, { name: "inventory", role: "upstream" }),
];

const words = (text: string) => text.split(" ");
const UNREACHABLE = words("dns-failing connection-refused connect-blackholed");
const HANDSHAKE = words(
  "tls-plaintext-mismatch tls-version-mismatch tls-client-cert-rejected tls-cert-expired tls-cert-not-yet-valid tls-san-mismatch tls-untrusted-issuer tls-alpn-missing",
);
const WIRE = [
  ...UNREACHABLE,
  ...words("app-frozen accept-queue-overflow fd-exhaustion not-grpc"),
  ...HANDSHAKE,
];
const PLAINTEXT = ["tls-plaintext-mismatch"];

/** On one target: each effect, and what explains it there. */
const HERE: Readonly<Record<string, readonly Pairs[]>> = {
  "dns-stale": [{ roots: ["dns-failing"] }],
  "l4-pinning": [{ roots: ["dns-stale"] }],
  "address-family-mismatch": [{ roots: ["dns-failing"] }],
  "connection-refused": [
    { roots: ["dns-failing"] },
    {
      roots: ["dns-stale"],
      root: { evidence: { staleAddresses: ["10.0.0.9"] } },
      effect: { evidence: { refusedAddresses: ["10.0.0.9:50051"] } },
    },
    {
      roots: ["loopback-only"],
      root: { evidence: { podAddress: "10.0.0.7" } },
      effect: { evidence: { refusedAddresses: ["10.0.0.7:50051"] } },
    },
  ],
  "accept-queue-overflow": [{ roots: ["app-frozen", "fd-exhaustion"] }],
  "app-frozen": [{ roots: UNREACHABLE }],
  "connect-blackholed": [{ roots: ["dns-failing", "dns-stale"] }],
  "half-open-connection": [{ roots: ["connect-blackholed"] }],
  "tls-alpn-missing": [
    { roots: [...PLAINTEXT, "tls-version-mismatch", "tls-client-cert-rejected"] },
  ],
  "tls-cert-expired": [{ roots: [...PLAINTEXT, "tls-cert-not-reloaded"] }],
  "tls-cert-expiring": [{ roots: ["tls-cert-expired", "tls-cert-not-reloaded"] }],
  "tls-cert-not-yet-valid": [{ roots: PLAINTEXT }],
  "tls-client-cert-rejected": [{ roots: [...PLAINTEXT, "tls-version-mismatch"] }],
  "tls-plaintext-mismatch": [{ roots: [...UNREACHABLE, "app-frozen"] }],
  "tls-san-mismatch": [{ roots: PLAINTEXT }],
  "tls-untrusted-issuer": [{ roots: PLAINTEXT }],
  "tls-version-mismatch": [{ roots: PLAINTEXT }],
  "connection-churn": [{ roots: WIRE }],
  "metadata-too-large": [{ roots: WIRE }],
  "not-grpc": [
    {
      roots: [
        ...UNREACHABLE,
        ...words("app-frozen fd-exhaustion"),
        ...HANDSHAKE.filter((code) => code !== "tls-version-mismatch"),
      ],
    },
  ],
  "stream-exhaustion": [{ roots: ["app-frozen"] }],
  "streams-refused": [{ roots: [...WIRE, "stream-exhaustion"] }],
  "auth-rejected": [{ roots: ["tls-client-cert-rejected", "tls-cert-not-yet-valid"] }],
  "compression-unsupported": [{ roots: WIRE }],
  "message-too-large": [{ roots: ["not-grpc"] }],
  "unimplemented-calls": [{ roots: ["not-grpc"] }],
  "channel-stuck": [
    {
      roots: ["connection-refused"],
      root: { subject: { address: UPSTREAM } },
      effect: { subject: { upstream: UPSTREAM } },
    },
    {
      roots: ["connect-blackholed"],
      root: { subject: { remote: UPSTREAM } },
      effect: { subject: { upstream: UPSTREAM } },
    },
  ],
  "deadline-storm": [{ roots: ["app-frozen", "stream-exhaustion"] }],
  "error-burst": [
    { roots: ["app-frozen", "deadline-storm"], effect: failing("DEADLINE_EXCEEDED 90") },
    { roots: ["message-too-large"], effect: failing("RESOURCE_EXHAUSTED 90") },
    {
      roots: ["channel-stuck"],
      root: { subject: { upstream: UPSTREAM } },
      effect: { evidence: { codes: ["UNAVAILABLE 90"], dependency: UPSTREAM } },
    },
  ],
  "health-flapping": [{ roots: ["app-frozen"] }],
  "health-not-serving": [
    { roots: ["app-frozen"] },
    { roots: ["streams-refused"], effect: { evidence: { cause: "check-error" } } },
  ],
  "in-flight-buildup": [{ roots: ["app-frozen", "deadline-storm"] }],
  "probe-failing": [
    {
      roots: [...WIRE, "dns-stale"],
      effect: { evidence: { phase: "tls", reason: "handshake", status: "UNAVAILABLE" } },
    },
    {
      roots: ["connection-churn", "stream-exhaustion", "streams-refused", "error-burst"],
      effect: { evidence: { phase: "rpc", reason: "status", status: "UNAVAILABLE" } },
    },
    {
      roots: ["deadline-storm", "in-flight-buildup"],
      effect: { evidence: { phase: "rpc", reason: "deadline", status: "DEADLINE_EXCEEDED" } },
    },
    {
      roots: ["metadata-too-large"],
      root: { subject: { probe: "get" }, evidence: { failures: 2 } },
      effect: answered("RESOURCE_EXHAUSTED"),
    },
    { roots: ["auth-rejected"], effect: answered("UNAUTHENTICATED") },
    {
      roots: ["unimplemented-calls", "compression-unsupported"],
      root: { subject: { method: "order.OrderService/GetOrder" } },
      effect: answered("UNIMPLEMENTED"),
    },
    {
      roots: ["message-too-large"],
      root: { subject: { method: "order.OrderService/GetOrder" } },
      effect: answered("RESOURCE_EXHAUSTED"),
    },
    {
      roots: ["contract-drift"],
      root: { subject: { method: "order.OrderService/GetOrder" } },
      effect: answered("INTERNAL"),
    },
  ],
  "probe-slow": [
    {
      roots: words(
        "dns-failing connect-blackholed app-frozen accept-queue-overflow fd-exhaustion stream-exhaustion deadline-storm in-flight-buildup",
      ),
    },
  ],
  "retry-storm": [
    {
      roots: ["connection-refused"],
      root: { subject: { address: UPSTREAM } },
      effect: { subject: { upstream: UPSTREAM } },
    },
    {
      roots: ["connect-blackholed"],
      root: { subject: { remote: UPSTREAM } },
      effect: { subject: { upstream: UPSTREAM } },
    },
    {
      roots: ["channel-stuck"],
      root: { subject: { upstream: UPSTREAM } },
      effect: { subject: { upstream: UPSTREAM } },
    },
  ],
};

const depends = { evidence: { dependency: UPSTREAM } };
const calls = { subject: { upstream: UPSTREAM } };

/** On the upstream that the effect's evidence names. */
const OVER_THERE: Readonly<Record<string, readonly Pairs[]>> = {
  "channel-stuck": [
    {
      roots: [...WIRE, ...words("address-family-mismatch dns-stale half-open-connection")],
      effect: calls,
    },
  ],
  "deadline-storm": [
    { roots: [...WIRE, "dns-stale", "stream-exhaustion", "deadline-storm"], effect: depends },
  ],
  "error-burst": [
    {
      roots: [...WIRE, "error-burst"],
      effect: { evidence: { codes: ["UNAVAILABLE 90"], dependency: UPSTREAM } },
    },
  ],
  "health-not-serving": [{ roots: [...UNREACHABLE, "health-not-serving"], effect: depends }],
  "in-flight-buildup": [
    {
      roots: [...WIRE, ...words("dns-stale stream-exhaustion deadline-storm in-flight-buildup")],
      effect: depends,
    },
  ],
  "retry-storm": [{ roots: [...WIRE, "stream-exhaustion", "deadline-storm"], effect: calls }],
};

interface Pair extends Omit<Pairs, "roots"> {
  readonly root: Words;
  readonly effect: Words;
  readonly codes: readonly [root: string, effect: string];
}

function pairsOf(table: Readonly<Record<string, readonly Pairs[]>>): readonly Pair[] {
  return Object.entries(table).flatMap(([code, pairs]) =>
    pairs.flatMap(({ roots, root = {}, effect = {} }) =>
      roots.map((one): Pair => ({ codes: [one, code], root, effect })),
    ),
  );
}

const here = pairsOf(HERE);
const overThere = pairsOf(OVER_THERE);
const named = ({ codes }: Pair) => codes.join(" ⊃ ");

/** Everything that is told after the two were seen for three minutes. */
function told({ codes: [root, effect], ...pair }: Pair, rootTarget: "app" | "inventory") {
  const rootKey = rootTarget === "app" ? root : `${root}/${rootTarget}`;
  const seen = { [rootKey]: [aSymptom(pair.root)], [effect]: [aSymptom(pair.effect)] };
  const course = aCourse(DETECTORS);
  for (const seconds of [0, 60, 120, 180]) course.at(seconds, { seen, settings: { targets } });
  const { active, suppressed } = course.report();
  return {
    active: active.map(({ code, target, consequences }) => [code, target, ...consequences]),
    suppressed: suppressed.map(({ code, target, because }) => [code, target, because]),
  };
}

describe("of two that one fault raises on a target", () => {
  it.each(here.map((pair) => [named(pair), pair] as const))("%s", (_name, pair) => {
    const [root, effect] = pair.codes;
    expect(told(pair, "app")).toEqual({
      active: [[root, "app", effect]],
      suppressed: [[effect, "app", root]],
    });
  });
});

describe("of two that one fault raises on an upstream and in the app", () => {
  it.each(overThere.map((pair) => [named(pair), pair] as const))("%s", (_name, pair) => {
    const [root, effect] = pair.codes;
    expect(told(pair, "inventory")).toEqual({
      active: [[root, "inventory", `${effect}/app`]],
      suppressed: [[effect, "app", `${root}/inventory`]],
    });
  });
});

describe("the pairs above are all that are declared", () => {
  const edges = (list: "causes" | "dependencyCauses") =>
    DETECTORS.flatMap((effect) => effect[list].map((root) => `${root.code} ⊃ ${effect.code}`));
  /** The same sickness over there explains it here: the declarations need not say so. */
  const isOfOneCode = ({ codes: [root, effect] }: Pair) => root === effect;

  it("on a target", () => {
    expect(here.map(named).toSorted()).toEqual(edges("causes").toSorted());
  });

  it("on an upstream", () => {
    const declared = overThere.filter((pair) => !isOfOneCode(pair)).map(named);
    const ofAnother = edges("dependencyCauses").filter(
      (name) => new Set(name.split(" ⊃ ")).size > 1,
    );
    expect(declared.toSorted()).toEqual(ofAnother.toSorted());
  });
});

function failing(most: string): Words {
  return { evidence: { codes: [most] } };
}

function answered(status: string): Words {
  return {
    subject: { probe: "get" },
    evidence: { phase: "rpc", reason: "status", status, method: "order.OrderService/GetOrder" },
  };
}
