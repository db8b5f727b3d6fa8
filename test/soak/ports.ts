import { createServer } from "node:net";

/**
 * Below the kernel's ephemeral range: nobody's outgoing connection takes the port while the server that
 * owned it is dead.
 */
const FIRST = 20_000;
const COUNT = 10_000;

/** A port that is free on every address now, and stays so unless another server asks for it. */
export async function aLastingPort(): Promise<number> {
  const port = FIRST + Math.floor(Math.random() * COUNT);
  return (await isFree(port)) ? port : aLastingPort();
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
