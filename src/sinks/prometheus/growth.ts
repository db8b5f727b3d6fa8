/** Objects remembered for one target: far beyond what the channelz budget reads in ten minutes. */
const MOST_OBJECTS = 5000;

/**
 * How much the counters of many channelz objects grew, so that their sum never falls when one dies.
 *
 * An object that is met for the first time brings all that it counted, except in the very first
 * look, where it would bring the app's whole past in one step. A counter that went back began anew.
 * Once more objects were met than fit, the oldest are forgotten and a first meeting brings nothing:
 * a count may then be too low, never too high.
 */
export function createGrowth(): Growth {
  const latest = new Map<string, readonly number[]>();
  let hasLooked = false;
  let hasForgotten = false;

  return {
    of(id, counts) {
      const before = latest.get(id);
      latest.delete(id);
      latest.set(id, counts);
      const [oldest] = latest.keys();
      if (latest.size > MOST_OBJECTS && oldest !== undefined) {
        latest.delete(oldest);
        hasForgotten = true;
      }
      if (before === undefined) return hasLooked && !hasForgotten ? counts : counts.map(() => 0);
      return counts.map((count, index) => {
        const last = before[index] ?? 0;
        return count >= last ? count - last : count;
      });
    },
    looked() {
      hasLooked = true;
    },
  };
}

export interface Growth {
  /** What each of the object's counters grew by since it was last met. */
  of(id: string, counts: readonly number[]): readonly number[];
  /** A look is over: what is met from now on is new. */
  looked(): void;
}
