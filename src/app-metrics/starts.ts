/** The calls that one metric family says were started. */
export interface Starts {
  add(count: number): void;
  /**
   * Of calls that go by one name, as those of methods that nobody registered: they count once one of them
   * ended, since where they are refused unseen none ever does.
   */
  addAs(method: string, count: number): void;
  /** Of some calls they are not counted, so their sum says nothing. */
  areUntold(): void;
  /** `undefined` where it is not known. */
  sum(hasEnded: (method: string) => boolean): number | undefined;
}

export function createStarts(): Starts {
  let told: number | undefined;
  const byName = new Map<string, number>();
  let areTold = true;
  return {
    add(count) {
      told = (told ?? 0) + count;
    },
    addAs(method, count) {
      byName.set(method, (byName.get(method) ?? 0) + count);
    },
    areUntold() {
      areTold = false;
    },
    sum(hasEnded) {
      const named = [...byName].filter(([method]) => hasEnded(method));
      if (!areTold || (told === undefined && named.length === 0)) return undefined;
      return named.reduce((sum, [, count]) => sum + count, told ?? 0);
    },
  };
}
