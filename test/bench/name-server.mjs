import { createSocket } from "node:dgram";
import { once } from "node:events";
import * as dnsPacket from "dns-packet";

const TTL_SECONDS = 30;

/** A DNS server on loopback that answers every A with one address, and counts what it is asked. */
export async function startNameServer(address) {
  const socket = createSocket("udp4");
  let queries = 0;
  socket.on("message", (message, { port, address: asker }) => {
    queries += 1;
    const { id, questions } = dnsPacket.decode(message);
    const [{ name, type }] = questions;
    const answers = type === "A" ? [{ type, name, ttl: TTL_SECONDS, data: address }] : [];
    const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE;
    const reply = dnsPacket.encode({ type: "response", id, flags, questions, answers });
    socket.send(reply, port, asker);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    queries: () => queries,
    stop: () => socket.close(),
  };
}
