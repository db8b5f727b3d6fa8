import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { parseListen } from "../config/address.ts";
import { ipv6LoopbackFor } from "../model/loopback.ts";
import type { Call } from "./command.ts";
import { UsageError } from "./exit.ts";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The agent did not answer, or not as an agent does. Carries one line for stderr. */
class AdminError extends Error {}

const ANSWER_MS = 5000;
/** Above any findings document; below what would hurt. */
const GREATEST_ANSWER = 16 * 1024 * 1024;

/** Asks a running agent over its admin listener. Throws `AdminError` when none answers in 5 s. */
export async function askAgent(
  call: Call,
  ask: { readonly method: "GET" | "POST"; readonly path: string },
): Promise<Answer> {
  const { texts } = call.given;
  const written = texts["admin"] ?? "127.0.0.1:19465";
  const address = parseListen(written);
  if ("allowed" in address)
    throw new UsageError(`--admin takes ${address.allowed}, not ${written}`);
  const token =
    texts["token-file"] === undefined ? undefined : await readToken(texts["token-file"]);
  const { host = "127.0.0.1", port } = address.value;
  const signal = call.program.clock.deadline(ANSWER_MS, call.program.signal);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const sendTo = (to: string) => send({ ...ask, host: to, port, signal, headers });
  const answered = sendTo(host).catch((thrown: unknown) => {
    const other = ipv6LoopbackFor(host, thrown);
    if (other === undefined) throw thrown;
    return sendTo(other);
  });
  return answered.catch((thrown: unknown) => {
    throw thrown instanceof AdminError
      ? thrown
      : new AdminError(`no agent answers at ${written} (${causeOf(thrown)})`);
  });
}

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
}

function send(ask: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...ask, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > GREATEST_ANSWER)
          sent.destroy(new AdminError("the answer is too long for an agent's"));
        else chunks.push(chunk);
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      });
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) throw new UsageError(`${file} cannot be read`);
  return text.trim();
}

function causeOf(thrown: unknown): string {
  const { code, name } = thrown as { code?: string; name?: string };
  return name === "AbortError" || name === "TimeoutError"
    ? `not within ${ANSWER_MS / 1000} s`
    : (code ?? name ?? "unknown");
}

/** How an agent took an order: in its own words, or by what HTTP says where it has none. */
export function orderAnswer({ status, body }: Answer): {
  readonly taken: boolean;
  readonly text: string;
} {
  const taken = status >= 200 && status < 300;
  const { text, faults } = wordsOf(body);
  const words = taken ? text : faults?.join("; ");
  return { taken, text: typeof words === "string" ? words.slice(0, 500) : `HTTP ${status}` };
}

/** The document of an order's answer; nothing of it where another program answered. */
function wordsOf(body: string): { readonly text?: string; readonly faults?: readonly string[] } {
  try {
    const words = JSON.parse(body) as { readonly faults?: unknown } | null;
    return words === null || (words.faults !== undefined && !Array.isArray(words.faults))
      ? {}
      : (words as object);
  } catch {
    return {};
  }
}

/** Tells on stderr why the agent could not be asked; anything else is thrown on. */
export function tellAdminError(call: Call, thrown: unknown): void {
  if (!(thrown instanceof AdminError)) throw thrown;
  call.program.stderr.write(`grpc-doctor: ${thrown.message}\n`);
}
