import { readFileSync, statSync } from "node:fs";
import type { ReadOptions } from "./read-settings.ts";

type TlsFault = NonNullable<ReadOptions["tlsFault"]>;
type Name = keyof Parameters<TlsFault>[0];

/** Bundles of system roots are a quarter of this. */
const MOST_BYTES = 1024 * 1024;

/**
 * Reads the files of a target's `tls`, and says which of them no handshake can be made with. The agent
 * itself goes on without: in a pod a secret may come after it, or be half written.
 */
export async function loadTlsFault(): Promise<TlsFault> {
  const { materialFault } = await import("../grpc/credentials.ts");
  return (files) => {
    const texts: Partial<Record<Name, string>> = {};
    for (const [name, file] of Object.entries(files) as [Name, string][]) {
      try {
        const { size } = statSync(file);
        if (size > MOST_BYTES) return { name, fault: "over 1 MiB" };
        texts[name] = readFileSync(file, "utf8");
      } catch (thrown) {
        return { name, fault: (thrown as NodeJS.ErrnoException).code ?? "unknown" };
      }
    }
    return materialFault(texts);
  };
}
