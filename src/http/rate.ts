import type { Clock } from "../model/time.ts";

/** How often something may happen: so often at once, and so often a second in the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Keys that are remembered; more than there are connections, so that none in use is forgotten. */
const MOST_KEYS = 256;

interface Bucket {
  readonly left: number;
  readonly at: number;
}

/** Takes one of what a key has left, and says whether there was one. */
export function createRate(
  { burst, perSecond }: Rate,
  clock: Pick<Clock, "monotonicMs">,
): (key: string) => boolean {
  // The one that was used last stands last.
  const buckets = new Map<string, Bucket>();
  return (key) => {
    const now = clock.monotonicMs();
    const { left, at } = buckets.get(key) ?? { left: burst, at: now };
    const filled = Math.min(burst, left + ((now - at) / 1000) * perSecond);
    const isAllowed = filled >= 1;
    buckets.delete(key);
    buckets.set(key, { left: isAllowed ? filled - 1 : filled, at: now });
    const [longestUnused] = buckets.keys();
    if (buckets.size > MOST_KEYS && longestUnused !== undefined) buckets.delete(longestUnused);
    return isAllowed;
  };
}
