import type { Job, KernelInterest } from "../../model/job.ts";
import { knownValue, type TargetSnapshot } from "../../model/snapshot.ts";
import type { Need } from "../plan.ts";
import { every } from "./cadence.ts";

const CADENCE_MS = 15_000;
const PENDING_MS = 5_000;
const DRAIN_MS = 500;
/**
 * A read may cost a 2 000th of the time at most: 2.8 ms each 5.6 s. While something is suspected it is made
 * each 15 s at least: on a crowded node a read takes long, and verdicts wait for it.
 */
const COST_FACTOR = 2_000;

/** One read of the socket table serves every target: what each of them asks of it. */
export function planKernel(needs: readonly Need[]): readonly Job[] {
  const owner = (needs.find((need) => need.target.role === "app") ?? needs[0])?.target.name;
  if (owner === undefined) return [];
  const interests = needs.map((need) => interestOf(need, need.target.name === owner));
  return [
    {
      key: "kernel",
      source: "kernel",
      label: "kernel",
      target: owner,
      cadence: { ...every(intervalOf(needs)), keepsDistance: true },
      deadlineMs: 2_000,
      urgency: { key: "first", withinMs: 0 },
      interests,
    },
  ];
}

function intervalOf(needs: readonly Need[]): number {
  if (needs.some((need) => need.known.state === "draining")) return DRAIN_MS;
  const costMs = Math.max(0, ...needs.map(readCostMs));
  const isSuspicious = needs.some(
    (need) =>
      need.hasActive || need.pending.length > 0 || hasQueue(need) || isSilent(need) || isSick(need),
  );
  const affordedMs = COST_FACTOR * costMs;
  return isSuspicious
    ? Math.max(PENDING_MS, Math.min(affordedMs, CADENCE_MS))
    : Math.max(CADENCE_MS, affordedMs);
}

function readCostMs({ known }: Need): number {
  return knownValue(known, "surroundings")?.readCostMs ?? 0;
}

function hasQueue({ known }: Need): boolean {
  return (knownValue(known, "listeners")?.reads.at(-1)?.queued ?? 0) > 0;
}

/** Whether the app accepts what the X-ray gets no answer from, only the kernel knows. */
function isSick({ known }: Need): boolean {
  return knownValue(known, "xray")?.latest.outcome === "failed";
}

function isSilent({ known }: Need): boolean {
  const kept = knownValue(known, "kept");
  const outbound = knownValue(known, "outbound")?.reads.at(-1)?.remotes;
  const isDialling = outbound?.some((remote) => remote.synRetransmits > 0) ?? false;
  return isDialling || (kept?.silentInRow ?? 0) > 0;
}

function interestOf({ target, known }: Need, ownsPod: boolean): KernelInterest {
  const { endpoint, name, role } = target;
  const seen = knownValue(known, "resolution")?.seen ?? {};
  const keptPort = role === "app" ? openPort(known) : undefined;
  const literal = endpoint.kind === "ip" ? [endpoint.host] : [];
  return {
    target: name,
    role,
    ...(endpoint.kind === "unix" ? {} : { port: endpoint.port }),
    ...(keptPort === undefined ? {} : { keptPort }),
    addresses: [...literal, ...Object.keys(seen)],
    ownsPod,
  };
}

/** The local port of the kept connection, while it is open. */
function openPort(known: TargetSnapshot): number | undefined {
  const kept = knownValue(known, "kept");
  return kept?.state === "open" ? kept.localPort : undefined;
}
