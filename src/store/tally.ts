/** Counters of one object that may die: a channel, a sub-channel. */
export interface Counted {
  readonly id: number;
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** Sums over objects that come and go; monotonic, as what a dead one counted stays. */
export interface Tally {
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly byId: Readonly<Record<number, Omit<Counted, "id">>>;
}

const NONE: Omit<Counted, "id"> = { started: 0, succeeded: 0, failed: 0 };

/** Adds what each object counted since the last time; a new object counts in full. */
export function tallied(before: Tally | undefined, objects: readonly Counted[]): Tally {
  let { started, succeeded, failed } = before ?? NONE;
  const byId: Record<number, Omit<Counted, "id">> = {};
  for (const { id, ...now } of objects) {
    const last = before?.byId[id] ?? NONE;
    started += Math.max(0, now.started - last.started);
    succeeded += Math.max(0, now.succeeded - last.succeeded);
    failed += Math.max(0, now.failed - last.failed);
    byId[id] = now;
  }
  return { started, succeeded, failed, byId };
}
