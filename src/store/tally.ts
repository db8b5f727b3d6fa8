/** Counters of one object that may die: a channel, a sub-channel. */
export interface Counted {
  readonly id: number;
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
}

type Counts = Omit<Counted, "id">;

/** Sums over objects that come and go; monotonic, as what a dead one counted stays. */
export interface Tally extends Counts {
  /** The objects of the last time, and the newest 200 that were seen before: a read may miss one. */
  readonly byId: Readonly<Record<number, Counts>>;
  /** The highest id ever seen: channelz numbers its objects upwards, and never anew. */
  readonly newestId: number;
}

const NONE: Counts = { started: 0, succeeded: 0, failed: 0 };
const MOST_MISSED = 200;

/**
 * Adds what each object counted since it was last seen. A new object counts in full; one that is older
 * than others, and was never read, counts from now on: what it did before was not of this time.
 */
export function tallied(before: Tally | undefined, objects: readonly Counted[]): Tally {
  let { started, succeeded, failed } = before ?? NONE;
  const known = before?.byId ?? {};
  const seen: Record<number, Counts> = {};
  for (const { id, ...now } of objects) {
    const isNew = before === undefined || id > before.newestId;
    const last = known[id] ?? (isNew ? NONE : now);
    started += Math.max(0, now.started - last.started);
    succeeded += Math.max(0, now.succeeded - last.succeeded);
    failed += Math.max(0, now.failed - last.failed);
    seen[id] = now;
  }
  const missed = Object.entries(known).filter(([id]) => !Object.hasOwn(seen, id));
  const byId = { ...Object.fromEntries(missed.slice(-MOST_MISSED)), ...seen };
  const ids = objects.map(({ id }) => id);
  return { started, succeeded, failed, byId, newestId: Math.max(before?.newestId ?? 0, ...ids) };
}
