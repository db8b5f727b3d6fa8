import { execFile, execFileSync } from "node:child_process";

/** A network of its own, as a pod has it: loopback, and what a test adds. Needs root and iproute2. */
export interface NetworkNamespace {
  /** What `podman --network ns:` takes. */
  readonly path: string;
  /** The loopback address that a program in it has. */
  readonly loopback: "127.0.0.1" | "::1";
  /** Puts a program into it; the program's own process takes the place of `ip`. */
  readonly prefix: readonly string[];
  /** Runs `ip` in it: `link add …`. */
  ip(line: string): void;
  /** Body of the answer to a GET from inside it; rejects when the status is not 200. */
  get(url: string): Promise<string>;
  remove(): void;
}

const FETCH = `
const response = await fetch(process.argv[1], { signal: AbortSignal.timeout(30_000) });
process.stdout.write(await response.text());
process.exitCode = response.ok ? 0 : 1;`;

export function addNetworkNamespace(
  name: string,
  { hasIpv4 = true }: { readonly hasIpv4?: boolean } = {},
): NetworkNamespace {
  const ip = (line: string) => void execFileSync("ip", line.split(" "));
  const prefix = ["ip", "netns", "exec", name];
  ip(`netns add ${name}`);
  ip(`-n ${name} link set lo up`);
  if (!hasIpv4) ip(`-n ${name} addr del 127.0.0.1/8 dev lo`);
  return {
    path: `/run/netns/${name}`,
    loopback: hasIpv4 ? "127.0.0.1" : "::1",
    prefix,
    ip: (line) => ip(`-n ${name} ${line}`),
    get: (url) =>
      new Promise((resolve, reject) => {
        const [file = "", ...before] = prefix;
        const script = ["--input-type=module", "-e", FETCH, url];
        execFile(file, [...before, process.execPath, ...script], (error, stdout) =>
          error === null ? resolve(stdout) : reject(error),
        );
      }),
    remove: () => ip(`netns del ${name}`),
  };
}
