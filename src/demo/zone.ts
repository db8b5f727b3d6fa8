import { createSocket } from "node:dgram";
import * as dnsPacket from "dns-packet";

/** The demo's name server: one name, whose answer can be changed while it runs. */
export interface Zone {
  readonly port: number;
  /** Addresses of the name; an empty list is NXDOMAIN. */
  answer(addresses: readonly string[]): void;
  close(): Promise<void>;
}

const NXDOMAIN = 3;
const AUTHORITATIVE = dnsPacket.AUTHORITATIVE_ANSWER;

/** Serves `name` over UDP on a free port of 127.0.0.1, with a TTL of one second. */
export async function startZone(name: string, first: readonly string[]): Promise<Zone> {
  let addresses = first;
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const { id, questions = [] } = dnsPacket.decode(query);
    const [question] = questions;
    const isOurs = question?.name.toLowerCase() === name;
    const answers = isOurs && question?.type === "A" ? addresses : [];
    const isKnown = isOurs && addresses.length > 0;
    const reply = dnsPacket.encode({
      type: "response",
      id: id ?? 0,
      flags: AUTHORITATIVE | (isKnown ? 0 : NXDOMAIN),
      questions,
      answers: answers.map((data) => ({ type: "A", name, ttl: 1, data })),
    });
    socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", resolve);
  });
  return {
    port: socket.address().port,
    answer: (next) => {
      addresses = next;
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
