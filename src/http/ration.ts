import type { Clock } from "../model/time.ts";
import type { Reply } from "./reply.ts";

/** More than any scraper and its twin ask; a rendering at the cap of series takes milliseconds. */
const MOST_A_SECOND = 20;

/**
 * Renders a reply for each asker, so often a second at most: who asks beyond that gets the last one
 * again. Askers that come while one is rendered share it.
 */
export function rationed(
  clock: Pick<Clock, "monotonicMs">,
  render: () => Reply | Promise<Reply>,
): () => Promise<Reply> {
  const begun: number[] = [];
  let running: Promise<Reply> | undefined;
  let last: Promise<Reply> | undefined;
  return () => {
    if (running !== undefined) return running;
    const now = clock.monotonicMs();
    while (begun[0] !== undefined && now - begun[0] >= 1000) begun.shift();
    if (last !== undefined && begun.length >= MOST_A_SECOND) return last;
    begun.push(now);
    running = Promise.resolve(render()).finally(() => (running = undefined));
    // Kept only where it may be needed: a snapshot is no small text.
    last = begun.length >= MOST_A_SECOND ? running : undefined;
    return running;
  };
}
