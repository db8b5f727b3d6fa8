import { endianness, networkInterfaces } from "node:os";
import type { KernelInterest } from "../model/job.ts";
import type { KernelObservation } from "../model/observation.ts";
import type { Clock } from "../model/time.ts";
import { globalAddresses, hasNodeInterface } from "./interfaces.ts";
import { parseNetstat } from "./netstat.ts";
import { createRowFold, type FoldOptions } from "./row-fold.ts";
import { readTcpTable } from "./tcp-table.ts";
import { readText } from "./text-file.ts";

export interface SocketTableOptions {
  readonly clock: Clock;
  /** Processor time of this process so far; ms. Absent: what a read costs is the time that it takes. */
  readonly cpuMs?: () => number;
  /** Default `/proc/net`. */
  readonly procNet?: string;
  /** The pod's address, as the downward API tells it. */
  readonly podAddress?: string;
}

/** What one read says to one interest; the frame of an observation is the source's. */
export type KernelFacts = Omit<KernelObservation, "source" | "kind" | "target" | "at">;

export type SocketTableRead =
  | {
      readonly outcome: "read";
      factsFor(interest: KernelInterest): KernelFacts;
    }
  /** The signal was aborted: half a table tells nothing. */
  | { readonly outcome: "aborted" }
  | { readonly outcome: "unavailable"; readonly reason: string; readonly fix: string };

/** The kernel's socket table of the network namespace that the pod shares. */
export interface SocketTable {
  read(options: FoldOptions & { readonly signal: AbortSignal }): Promise<SocketTableRead>;
}

/** What a read of few rows takes once it is warm; the first one is cold, and no measure of the next. */
const USUAL_COST_MS = 2.8;
const MAX_NETSTAT_BYTES = 64 * 1024;
/** Envoy-based meshes, then Linkerd. Source: their default ports. */
const MESH_PORTS = [15001, 15006, 15008, 4140, 4143];
/** The kubelet: it listens where pods do not. */
const KUBELET_PORT = 10250;

/**
 * Reads /proc/net: no privilege is needed, and it shows what no library does: accept queues, rows that
 * nobody accepted, SYNs without answer. tcp6 is absent where IPv6 is off.
 *
 * Source: Linux Documentation/networking/proc_net_tcp.rst; net/ipv4/tcp_ipv4.c.
 */
export function createSocketTable(options: SocketTableOptions): SocketTable {
  const { procNet = "/proc/net", podAddress } = options;
  const costOf = createCostMeter(options);
  return {
    async read({ signal, ...foldOptions }) {
      if (endianness() !== "LE") return unavailable("its rows are big-endian on this machine");
      const cost = costOf();
      const fold = createRowFold(foldOptions);
      const add = fold.add;
      try {
        await readTcpTable(`${procNet}/tcp`, signal, add);
        await readTcpTable(`${procNet}/tcp6`, signal, add).catch(unlessAbsent);
      } catch (thrown) {
        return signal.aborted
          ? { outcome: "aborted" }
          : unavailable(whyUnreadable(thrown, procNet));
      }
      const counters = await readText(`${procNet}/netstat`, MAX_NETSTAT_BYTES)
        .then(parseNetstat)
        .catch(() => ({})); // an old or sandboxed kernel does not count: the keys are absent
      const interfaces = networkInterfaces();
      const costMs = cost();

      const { listeningPorts, sharesNetwork, tellsAcceptance } = fold.namespaceFacts();
      const surroundings = {
        mesh: MESH_PORTS.some((port) => listeningPorts.has(port)),
        hostNetwork: listeningPorts.has(KUBELET_PORT) || hasNodeInterface(interfaces),
        podAddresses: globalAddresses(interfaces),
        ...(podAddress === undefined ? {} : { podAddress }),
      };
      const shared = { costMs, sharesNetwork, tellsAcceptance, surroundings, ...counters };
      return {
        outcome: "read",
        factsFor: (interest) => ({ ...shared, ...fold.factsFor(interest) }),
      };
    },
  };
}

function unlessAbsent(thrown: unknown): void {
  if (codeOf(thrown) !== "ENOENT") throw thrown;
}

function unavailable(reason: string): SocketTableRead {
  const fix = "Run the agent in the app's pod on Linux, with /proc readable.";
  return { outcome: "unavailable", reason, fix };
}

function whyUnreadable(thrown: unknown, procNet: string): string {
  return codeOf(thrown) === "ENOENT"
    ? `${procNet}/tcp does not exist`
    : `${procNet}/tcp cannot be read (${codeOf(thrown)})`;
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
}

/** How long a starved machine may make every read slow before that is taken for its cost. */
const SPELL_MS = 120_000;

/**
 * Begins to measure a read; what that yields ends it. The next read waits for 2 000 times the cost, so
 * reads that waited for the processor would blind us for half an hour: what counts is the processor's
 * time where it is told (it is that of the whole process, so the time that passed bounds it), and of
 * that the cheapest of the newest two reads and of all of the last two minutes.
 */
function createCostMeter({ clock, cpuMs }: SocketTableOptions): () => () => number {
  let reads = [{ endedMs: Number.NEGATIVE_INFINITY, costMs: USUAL_COST_MS }];
  return () => {
    const startedMs = clock.monotonicMs();
    const startedCpuMs = cpuMs?.();
    return () => {
      const endedMs = clock.monotonicMs();
      const passedMs = endedMs - startedMs;
      // A kernel that counts in ticks may count none: that is no free read.
      const usedMs = (cpuMs?.() ?? 0) - (startedCpuMs ?? 0) || passedMs;
      const recent = reads.filter((read, at) => {
        const isNewest = at === reads.length - 1;
        return isNewest || endedMs - read.endedMs < SPELL_MS;
      });
      reads = [...recent, { endedMs, costMs: Math.min(passedMs, usedMs) }];
      return Math.min(...reads.map(({ costMs }) => costMs));
    };
  };
}
