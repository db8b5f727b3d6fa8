import { createSocket } from "node:dgram";
import { once } from "node:events";
import * as dnsPacket from "dns-packet";
import { bundle, issue, issueCa, newKeys, writeFiles } from "../../support/certificates.ts";
import { startFaultyServer } from "../../support/faulty-server.ts";
import { startResolver } from "../../support/resolver.ts";
import type { Gallery, HostileCase } from "../hostile-case.ts";

const NAME = "orders.test";

/** TLS with this chain, judged by a bundle that does not hold its root. */
function shows(chain: () => Promise<{ readonly cert: string; readonly key: string }>): HostileCase {
  return async () => {
    const { address } = await startFaultyServer({ tls: await chain() });
    const other = await issueCa({ name: "link" });
    const { paths } = await writeFiles({ ca: other.cert });
    return { target: { address, authority: NAME, tls: { ca: paths.ca } } };
  };
}

/** What is asked of a name server that answers like this. */
function answeredBy(answer: (question: dnsPacket.Packet) => Buffer): HostileCase {
  return async () => {
    const socket = createSocket("udp4");
    socket.on("message", (bytes, from) => {
      socket.send(answer(dnsPacket.decode(bytes)), from.port, from.address);
    });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return {
      target: { address: `dns://127.0.0.1:${socket.address().port}/${NAME}:1`, role: "upstream" },
    };
  };
}

const many = Array.from({ length: 1_000 }, (_, n) => `127.1.${n >> 8}.${n & 255}`);

/** Certificates and name servers. */
export const NAMES: Gallery = {
  "certificate-of-10000-names": shows(() =>
    issue({ dns: Array.from({ length: 10_000 }, (_, n) => `n${n}`) }),
  ),
  "certificate-of-20000-names": shows(() =>
    issue({ dns: Array.from({ length: 20_000 }, (_, n) => `n${n}.test`) }),
  ),
  "chain-of-50": shows(() => chainOf(50)),
  "chain-of-one-name": shows(() => namesakes(100)),
  "dns-1000-addresses": async () => {
    const zone = await startResolver({ [NAME]: { a: many } });
    return { target: { address: `dns://${zone.address}/${NAME}:1`, role: "upstream" } };
  },
  "dns-alias-loop": answeredBy((packet) =>
    dnsAnswer(packet, [
      { type: "CNAME", name: NAME, data: `other.${NAME}` },
      { type: "CNAME", name: `other.${NAME}`, data: NAME },
    ]),
  ),
  "dns-of-another-question": answeredBy((packet) =>
    dnsAnswer({ ...packet, id: ((packet.id ?? 0) + 1) % 65_536 }, []),
  ),
  "dns-cut-short": answeredBy((packet) =>
    dnsAnswer(packet, [{ type: "A", name: NAME, data: "127.0.0.1" }]).subarray(0, 30),
  ),
};

function dnsAnswer(packet: dnsPacket.Packet, records: dnsPacket.Answer[]): Buffer {
  const { id = 0, questions = [] } = packet;
  return dnsPacket.encode({ type: "response", id, questions, answers: records });
}

/** Each signed by the next, as a server would send them. */
async function chainOf(count: number) {
  let issuer = await issueCa({ name: "ca 0" });
  const chain = [issuer];
  for (let n = 1; n < count - 1; n += 1) {
    issuer = await issueCa({ name: `ca ${n}`, issuer });
    chain.unshift(issuer);
  }
  const leaf = await issue({ issuer, dns: [NAME] });
  return { cert: bundle(leaf, ...chain), key: leaf.key };
}

/** Authorities that are all called the same, and none of which signed another. */
async function namesakes(count: number) {
  const named = { name: "link" };
  const strangers = await Promise.all(
    Array.from({ length: count }, async () =>
      issueCa({ ...named, issuer: { ...(await issueCa(named)), keys: await newKeys() } }),
    ),
  );
  const [first = await issueCa(named)] = strangers;
  const leaf = await issue({ issuer: { ...first, keys: await newKeys() }, dns: [NAME] });
  return { cert: bundle(leaf, ...strangers), key: leaf.key };
}
