import type { FindingChange } from "../model/finding.ts";
import { findingDocument } from "../model/findings-document.ts";
import type { Json } from "../model/json.ts";
import { type Clock, rfc3339 } from "../model/time.ts";
import type { Sink } from "./sink.ts";
import { type SinkReport, SinkState } from "./sink-state.ts";

export interface WebhookOptions {
  /** Where to post; `undefined` = nowhere. Asked for each transition, as a reload may move it. */
  readonly url: () => string | undefined;
  readonly identity: { readonly agent: string; readonly pod?: string };
  readonly clock: Clock;
  readonly event: SinkReport["event"];
}

interface Message {
  readonly url: string;
  readonly body: string;
}

/** Transitions that wait while the receiver is away; the newest are refused, the first are the roots. */
const MOST_WAITING = 100;
/** A receiver that needs longer than this has not taken it. */
const DEADLINE_MS = 5_000;
/** Before the second and the third try; after that the transition is given up. */
const RETRIES_MS = [1_000, 5_000];

/**
 * Posts each transition in the life of a finding as JSON, one after the other and in order.
 *
 * The queue is bounded and each transition is tried three times: a receiver that is down costs its
 * own messages and nothing else, and its state is told once. Its answer is only a status.
 */
export function createWebhookSink({ url, identity, clock, event }: WebhookOptions): Sink {
  const state = new SinkState("webhook", { now: () => clock.now(), event });
  /** Closing begins: no wait between two tries any more, as the agent is gone before its end. */
  const hurrying = new AbortController();
  /** Closing ends. */
  const closing = new AbortController();
  const queue: Message[] = [];
  let draining: Promise<void> | undefined;

  const lose = (count: number) => {
    if (count > 0) event({ kind: "sink-dropped", at: clock.now(), sink: "webhook", count });
  };
  const deliver = async (message: Message): Promise<void> => {
    for (const delayMs of [...RETRIES_MS, undefined]) {
      try {
        await post(message, clock.deadline(DEADLINE_MS, closing.signal));
        return state.worked("post");
      } catch (thrown) {
        state.failed("post", thrown);
        if (closing.signal.aborted) throw thrown;
        if (delayMs === undefined) return lose(1);
        await clock.sleep(delayMs, hurrying.signal).catch(() => closing.signal.throwIfAborted());
      }
    }
  };
  const drain = async (): Promise<void> => {
    try {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        closing.signal.throwIfAborted();
        await deliver(next);
        queue.shift();
      }
    } catch (thrown) {
      state.failed("post", thrown);
      lose(queue.splice(0).length); // the agent stops, and what waits is lost
    } finally {
      draining = undefined;
    }
  };

  return {
    name: "webhook",
    change(change) {
      const receiver = url();
      if (receiver === undefined) return;
      if (queue.length >= MOST_WAITING) {
        lose(1);
        throw new Error("the queue of transitions is full");
      }
      queue.push({ url: receiver, body: JSON.stringify(messageOf(change, identity)) });
      draining ??= drain();
    },
    async close(signal) {
      const abort = () => closing.abort(signal.reason);
      hurrying.abort();
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      await draining;
      signal.removeEventListener("abort", abort);
    },
  };
}

async function post({ url, body }: Message, deadline: AbortSignal): Promise<void> {
  const { postJson } = await import("./webhook-post.ts");
  const status = await postJson(url, body, deadline);
  if (status < 200 || status > 299) throw new Error(`the receiver answered ${status}`);
}

/** What the receiver gets: the transition, and the finding as the findings document shows it. */
function messageOf(change: FindingChange, identity: WebhookOptions["identity"]): Json {
  const { transition, at, why, because, finding } = change;
  return {
    schema: "grpc-doctor/v1",
    ...identity,
    transition,
    at: rfc3339(at),
    ...(why === undefined ? {} : { why }),
    ...(because === undefined ? {} : { because }),
    finding: findingDocument(finding),
  };
}
