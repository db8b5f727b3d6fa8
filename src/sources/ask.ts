import { CallError } from "../grpc/call-error.ts";
import type { ConnectionObservation } from "../model/observation.ts";
import type { SourceName } from "../model/source-name.ts";
import type { Run, Tools } from "./source.ts";

/** A server that has not answered a small call by then is silent. Source: app-frozen's `timeout`. */
const SILENT_AFTER_MS = 2000;

/** What came of one small call. */
export type Asked<T> = { readonly ms: number } & (
  | { readonly outcome: "answered"; readonly answer: T }
  /** Answered, with a status that is not OK or with what is no answer. */
  | { readonly outcome: "refused"; readonly error: CallError }
  | { readonly outcome: "silent" }
  /** The connection ended, or the run did: nothing is known. */
  | { readonly outcome: "lost" }
);

/** Makes one call with 2 s to answer. */
export async function ask<T>(
  { signal }: Pick<Run<SourceName>, "signal">,
  { clock }: Pick<Tools, "clock">,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<Asked<T>> {
  const startedMs = clock.monotonicMs();
  const patience = clock.deadline(SILENT_AFTER_MS, signal);
  try {
    const answer = await call(patience);
    return { outcome: "answered", answer, ms: clock.monotonicMs() - startedMs };
  } catch (thrown) {
    if (!(thrown instanceof CallError)) throw thrown;
    const ms = clock.monotonicMs() - startedMs;
    if (signal.aborted) return { outcome: "lost", ms };
    if (patience.aborted) return { outcome: "silent", ms };
    const isAnswered = thrown.fault.status !== undefined || thrown.isUnreadable;
    if (!isAnswered) return { outcome: "lost", ms };
    return { outcome: "refused", error: thrown, ms };
  }
}

/** What an asked call says of the connection: whether anybody answers on it. */
export function* replied(
  { target }: Pick<Run<SourceName>, "target">,
  { clock }: Pick<Tools, "clock">,
  { outcome, ms }: Asked<unknown>,
): Generator<ConnectionObservation> {
  if (outcome === "lost") return;
  const word = outcome === "silent" ? "silent" : "replied";
  const at = clock.now();
  yield { source: "connection", kind: "reply", target: target.name, at, outcome: word, ms };
}
