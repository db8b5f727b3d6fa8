import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import * as dnsPacket from "dns-packet";

/** What the server says to a name; a name that is not scripted does not exist. */
export interface ScriptedAnswer {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  /** Each answer to A holds one address, the next one in turn. */
  readonly isRotating?: boolean;
  /** Of every record; default 30. */
  readonly ttlSeconds?: number;
  /** In place of an answer. `silent`: nothing is sent. */
  readonly fault?: "NXDOMAIN" | "SERVFAIL" | "REFUSED" | "silent";
  /** Questions of this type get no answer. */
  readonly drops?: "A" | "AAAA";
  /** Over UDP only the hint that TCP has the answer. */
  readonly isTruncated?: boolean;
}

/** A real DNS server on loopback, UDP and TCP on one port, whose answers a test scripts. */
export interface ScriptedResolver {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  /** From now on; lower-case full name without a dot at the end. */
  script(answers: Readonly<Record<string, ScriptedAnswer>>): void;
  /** `A name` for every question that came over UDP, `A name/tcp` over TCP; in order. */
  readonly questions: readonly string[];
  /** When each of them came; ms since the Unix epoch. */
  readonly askedAt: readonly number[];
  close(): Promise<void>;
}

const RCODES = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const;

export async function startResolver(
  answers: Readonly<Record<string, ScriptedAnswer>> = {},
): Promise<ScriptedResolver> {
  let scripted = answers;
  let turn = 0;
  const inTurn = (answer: ScriptedAnswer, type: string): ScriptedAnswer => {
    const { a = [], isRotating = false } = answer;
    if (!isRotating || type !== "A") return answer;
    turn = (turn + 1) % a.length;
    return { ...answer, a: a.slice(turn, turn + 1) };
  };
  const questions: string[] = [];
  const askedAt: number[] = [];

  const reply = (query: Buffer, isTcp: boolean): Buffer | undefined => {
    const { id = 0, questions: asked = [] } = dnsPacket.decode(query);
    const [question] = asked;
    if (question === undefined) return undefined;
    const name = question.name.toLowerCase();
    questions.push(`${question.type} ${name}${isTcp ? "/tcp" : ""}`);
    askedAt.push(Date.now());
    const answer = scripted[name] ?? { fault: "NXDOMAIN" };
    if (answer.fault === "silent" || answer.drops === question.type) return undefined;
    const isCut = answer.isTruncated === true && !isTcp;
    const records = isCut ? [] : recordsOf(name, question.type, inTurn(answer, question.type));
    const rcode = answer.fault === undefined ? 0 : RCODES[answer.fault];
    return dnsPacket.encode({
      type: "response",
      id,
      flags:
        dnsPacket.RECURSION_DESIRED |
        dnsPacket.RECURSION_AVAILABLE |
        (isCut ? dnsPacket.TRUNCATED_RESPONSE : 0) |
        rcode,
      questions: [question],
      answers: records,
    });
  };

  const tcp = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      const answer = reply(data.subarray(2), true);
      if (answer === undefined) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.end(Buffer.concat([length, answer]));
    });
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket("udp4");
  udp.on("message", (query, from) => {
    const answer = reply(query, false);
    if (answer !== undefined) udp.send(answer, from.port, from.address);
  });
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");

  return {
    address: `127.0.0.1:${port}`,
    port,
    questions,
    askedAt,
    script(next) {
      scripted = next;
    },
    async close() {
      udp.close();
      tcp.close();
      await Promise.all([once(udp, "close"), once(tcp, "close")]);
    },
  };
}

function recordsOf(name: string, type: string, answer: ScriptedAnswer): dnsPacket.Answer[] {
  const ttl = answer.ttlSeconds ?? 30;
  if (type === "A") return (answer.a ?? []).map((data) => ({ type: "A", name, ttl, data }));
  if (type === "AAAA") {
    return (answer.aaaa ?? []).map((data) => ({ type: "AAAA", name, ttl, data }));
  }
  return [];
}
