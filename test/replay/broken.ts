import { type Implementation, startPeer } from "../interop/peer.ts";
import { aCaller, addressOf, aServer, type Stage, seconds } from "../interop/scene.ts";
import { bundle, type Issued, issue, issueCa, writeFiles } from "../support/certificates.ts";
import { answers, type FaultyServerOptions, startFaultyServer } from "../support/faulty-server.ts";
import { startResolver } from "../support/resolver.ts";

/** What `check` is to look at, for how long, and what happens meanwhile. */
export interface Broken {
  readonly configuration: string;
  readonly seconds: number;
  readonly meanwhile?: () => Promise<unknown>;
}

export type Breaking = (stage: Stage) => Promise<Broken>;

const NAME = "orders.shop.svc";
const LANGUAGES: readonly Implementation[] = ["go", "node", "java", "python"];

const target = (address: string, more = "") =>
  `targets: [{ name: app, address: "${address}"${more} }]`;
const probing = (address: string, probe: string) =>
  `${target(address)}\nprobes: [{ name: get, target: app, method: order.OrderService/GetOrder, every: 2s, deadline: 1900ms${probe} }]`;

const inEach = (
  what: string,
  breaking: (language: Implementation) => Breaking,
  languages: readonly Implementation[] = LANGUAGES,
) => Object.fromEntries(languages.map((language) => [`${language}-${what}`, breaking(language)]));

async function files(stage: Stage, contents: Readonly<Record<string, string>>) {
  const written = await writeFiles(contents);
  stage.onTestFinished(() => written.remove());
  return written.paths;
}

/** A server with this certificate, and a target that knows who may have signed it. */
async function secured(
  stage: Stage,
  language: Implementation,
  leaf: (ca: Issued) => Promise<Issued>,
): Promise<Broken> {
  const ca = await issueCa();
  const issued = await leaf(ca);
  const paths = await files(stage, { ca: ca.cert, cert: bundle(issued, ca), key: issued.key });
  const { cert = "", key = "" } = paths;
  const server = await aServer(stage, language, ["--cert", cert, "--key", key]);
  const tls = `, authority: ${NAME}, tls: { ca: ${paths["ca"]} }`;
  return { configuration: target(addressOf(server), tls), seconds: 40 };
}

async function raw(stage: Stage, options: FaultyServerOptions, more = ""): Promise<Broken> {
  const server = await startFaultyServer(options);
  stage.onTestFinished(() => server.crash());
  return { configuration: target(server.address, more), seconds: 40 };
}

async function rawTls(stage: Stage, tls: Partial<FaultyServerOptions["tls"]>): Promise<Broken> {
  const leaf = await issue({ dns: [NAME] });
  return raw(stage, { tls: { cert: leaf.cert, key: leaf.key, ...tls } });
}

/** Each fault by the name of its snapshot; `taken.ts` says in words what is done here. */
export const BREAKING: Readonly<Record<string, Breaking>> = {
  ...inEach("well", (language) => async (stage) => {
    const server = await aServer(stage, language);
    await aCaller(stage, language, [addressOf(server)]);
    return { configuration: target(addressOf(server)), seconds: 60 };
  }),
  ...inEach(
    "other-name",
    (language) => (stage) =>
      secured(stage, language, (issuer) => issue({ issuer, dns: ["payments.shop.svc"] })),
  ),
  ...inEach("streams-held", (language) => async (stage) => {
    const server = await aServer(stage, language, ["--max-streams", "10"]);
    const caller = await aCaller(stage, language, [addressOf(server)]);
    await caller.command("hold 10");
    return { configuration: target(addressOf(server)), seconds: 75 };
  }),
  ...inEach(
    "slow-handlers",
    (language) => async (stage) => {
      const server = await aServer(stage, language);
      await aCaller(stage, language, [addressOf(server), "--deadline", "1.2s"]);
      await server.command("delay 3s");
      return { configuration: target(addressOf(server)), seconds: 150 };
    },
    ["java", "python"],
  ),
  ...inEach(
    "stopped",
    (language) => async (stage) => {
      const server = await aServer(stage, language);
      return {
        configuration: target(addressOf(server)),
        seconds: 90,
        meanwhile: async () => {
          await seconds(45);
          server.signal("SIGSTOP");
        },
      };
    },
    ["go", "java"],
  ),
  ...inEach("not-serving", (language) => async (stage) => {
    const server = await aServer(stage, language);
    return {
      configuration: target(addressOf(server)),
      seconds: 40,
      meanwhile: async () => {
        await seconds(8);
        await server.command("health NOT_SERVING");
      },
    };
  }),
  ...inEach("killed", (language) => async (stage) => {
    const server = await aServer(stage, language);
    return {
      configuration: target(addressOf(server)),
      seconds: 45,
      meanwhile: async () => {
        await seconds(12);
        await server.stop();
      },
    };
  }),
  ...inEach("client-refused", (language) => async (stage) => {
    const [ca, others] = [await issueCa(), await issueCa({ name: "another ca" })];
    const server = await issue({ issuer: ca, dns: [NAME] });
    const stranger = await issue({ name: "agent", issuer: others, usage: ["client"] });
    const { cert: ours, key: oursKey } = stranger;
    const paths = await files(stage, {
      ca: ca.cert,
      cert: bundle(server, ca),
      key: server.key,
      client: ours,
      clientKey: oursKey,
    });
    const { cert = "", key = "", ca: demanded = "" } = paths;
    const flags = ["--cert", cert, "--key", key, "--client-ca", demanded];
    const peer = await aServer(stage, language, flags);
    const tls = `, authority: ${NAME}, tls: { ca: ${demanded}, cert: ${paths["client"]}, key: ${paths["clientKey"]} }`;
    return { configuration: target(addressOf(peer), tls), seconds: 40 };
  }),
  "go-expired": (stage) =>
    secured(stage, "go", (issuer) => issue({ issuer, dns: [NAME], fromDays: -90, toDays: -1 })),
  "java-not-yet-valid": (stage) =>
    secured(stage, "java", (issuer) => issue({ issuer, dns: [NAME], fromDays: 2, toDays: 90 })),
  "node-expiring": (stage) =>
    secured(stage, "node", (issuer) => issue({ issuer, dns: [NAME], fromDays: -89, toDays: 1 })),
  "python-untrusted": (stage) =>
    secured(stage, "python", async () =>
      issue({ issuer: await issueCa({ name: "another ca" }), dns: [NAME] }),
    ),
  "java-encrypted": async (stage) => {
    const leaf = await issue({ dns: [NAME] });
    const { cert = "", key = "" } = await files(stage, { cert: leaf.cert, key: leaf.key });
    const server = await aServer(stage, "java", ["--cert", cert, "--key", key]);
    return { configuration: target(addressOf(server), ", tls: off"), seconds: 40 };
  },
  "go-large-metadata": async (stage) => {
    const server = await aServer(stage, "go", ["--max-header-list", "4096"]);
    const token = `, metadata: { x-token: "${"claim-0001;".repeat(350)}" }`;
    return { configuration: probing(addressOf(server), token), seconds: 15 };
  },
  "go-failing-calls": async (stage) => {
    const server = await aServer(stage, "go", ["--metrics"]);
    await aCaller(stage, "go", [addressOf(server)]);
    await server.command("fail INTERNAL");
    const metrics = `, metrics: "${String(server.ready["metrics"])}"`;
    return { configuration: target(addressOf(server), metrics), seconds: 120 };
  },
  "go-few-descriptors": async (stage) => {
    const server = await startPeer("go", ["serve", "--metrics"], ["prlimit", "--nofile=200"]);
    stage.onTestFinished(() => server.stop());
    const flags = [addressOf(server), "--rate", "0", "--connections", "178"] as const;
    const caller = await aCaller(stage, "go", flags);
    await caller.command("hold 1");
    const metrics = `, metrics: "${String(server.ready["metrics"])}"`;
    return { configuration: target(addressOf(server), metrics), seconds: 75 };
  },
  "go-upstream-down": async (stage) => {
    const upstream = await aServer(stage, "java");
    const app = await aServer(stage, "go", ["--calls", addressOf(upstream)]);
    return {
      configuration: target(addressOf(app)),
      seconds: 120,
      meanwhile: async () => {
        await seconds(30);
        await upstream.stop();
      },
    };
  },
  "nameless-upstream": async (stage) => {
    const zone = await startResolver({});
    stage.onTestFinished(() => zone.close());
    const configuration = `targets: [{ name: orders, role: upstream, address: "dns://${zone.address}/orders.test:50051" }]`;
    return { configuration, seconds: 60 };
  },
  "web-server": (stage) =>
    raw(stage, {
      accept: { bytes: "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n" },
    }),
  "bad-gateway": (stage) =>
    raw(stage, { fallback: answers.http(502, "text/html", "<html>bad gateway</html>") }),
  "closed-at-once": (stage) => raw(stage, { accept: "close" }),
  "no-alpn": (stage) => rawTls(stage, { alpn: "none" }),
  "web-alpn": (stage) => rawTls(stage, { alpn: ["http/1.1"] }),
  "old-tls": (stage) => rawTls(stage, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }),
};
