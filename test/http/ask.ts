import { type IncomingHttpHeaders, request } from "node:http";
import net from "node:net";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request with exactly these headers, over a connection of its own. */
export function ask(
  port: number,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: "127.0.0.1", port, path, agent: false, ...options },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    call.on("error", reject);
    call.end();
  });
}

/** Asks so often, one after the other; the last answer. */
export async function askOften(
  times: number,
  askOnce: (time: number) => Promise<Answer>,
): Promise<Answer> {
  for (let time = 1; time < times; time += 1) await askOnce(time);
  return askOnce(times);
}

/** Writes raw bytes and collects what comes back until the server closes. */
export function speak(port: number, ...bytes: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = net.connect(port, "127.0.0.1", () => {
      for (const text of bytes) socket.write(text);
    });
    socket.on("data", (chunk) => {
      heard += chunk.toString();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(heard));
  });
}
