import { createServer } from "node:net";

/** Two ports of 127.0.0.1 that were free a moment ago: for programs that cannot be told port 0. */
export async function twoFreePorts(): Promise<readonly [number, number]> {
  const [first, second] = [await listening(), await listening()];
  await Promise.all([first.close(), second.close()]);
  return [first.port, second.port];
}

async function listening(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { readonly port: number };
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
