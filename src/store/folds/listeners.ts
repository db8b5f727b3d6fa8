import type { AcceptRead, Listeners } from "../../model/facts/listeners.ts";
import type { KernelObservation } from "../../model/observation.ts";
import type { ListenRow } from "../../model/socket-rows.ts";
import { hostPort } from "../../model/target.ts";
import { definedOnly } from "../defined-only.ts";
import { defineFold } from "../fold.ts";
import { pushed } from "../ring.ts";
import { kernelAgeMs } from "./kernel-age.ts";

const MOST_READS = 40;

/** Who listens on the target's port, and how its accept queue fares. */
export const listenersFold = defineFold({
  fact: "listeners",
  of: ["app"],
  source: "kernel",
  reads: ["kernel/read"],
  bound: "40 reads; the source bounds its rows and the 40 listeners of the pod",
  maxAgeMs: kernelAgeMs,
  inNewEpoch: "goes",
  isNews: (before, after) => before?.since !== after.since,

  fold(previous: Listeners | undefined, read) {
    const { at, listeners: rows, listening, sharesNetwork, inbound } = read;
    const isSame = previous !== undefined && placesOf(previous.rows) === placesOf(rows);
    return {
      rows,
      listening,
      sharesNetwork,
      loopbackClients: Math.max(previous?.loopbackClients ?? 0, inbound.loopbackClients),
      reads: pushed(previous?.reads ?? [], acceptRead(read), MOST_READS),
      since: isSame ? previous.since : at,
    };
  },
});

function acceptRead(read: KernelObservation): AcceptRead {
  const { at, listeners, inbound, overflows, drops, keptReceiveQueueBytes } = read;
  const { established, unaccepted, receiveQueueBytes, acceptedReceiveQueueBytes } = inbound;
  return {
    at,
    queued: listeners.reduce((sum, row) => sum + row.queued, 0),
    established,
    receiveQueueBytes,
    ...(read.tellsAcceptance ? definedOnly({ unaccepted, acceptedReceiveQueueBytes }) : {}),
    ...(overflows === undefined ? {} : { overflows }),
    ...(drops === undefined ? {} : { drops }),
    ...(keptReceiveQueueBytes === undefined ? {} : { keptReceiveQueueBytes }),
  };
}

function placesOf(rows: readonly ListenRow[]): string {
  return rows
    .map((row) => hostPort(row.address, row.port))
    .sort()
    .join();
}
