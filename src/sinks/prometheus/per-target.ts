import type { TargetSnapshot } from "../../model/snapshot.ts";
import type { Target } from "../../model/target.ts";
import type { Sample, Scrape } from "./family.ts";

/** What one target's facts give a family; no label `target` yet. */
type ReadTarget = (watched: TargetSnapshot, target: Target, scrape: Scrape) => readonly Sample[];

/** Reads a family from each configured target's facts, and puts the target's label on what it gives. */
export function fromTargets(read: ReadTarget): (scrape: Scrape) => readonly Sample[] {
  return (scrape) =>
    scrape.settings.targets.flatMap((target) => {
      const watched = scrape.snapshot.targets[target.name];
      if (watched === undefined) return [];
      return read(watched, target, scrape).map((sample) => ({
        ...sample,
        labels: { target: target.name, ...sample.labels },
      }));
    });
}

/** One value without further labels, or no series while it is unknown. */
export function value(known: number | undefined): readonly Sample[] {
  return known === undefined ? [] : [{ labels: {}, value: known }];
}

/** Something remembered for each target; targets that are gone from the configuration are forgotten. */
export class PerTarget<T> {
  readonly #values = new Map<string, T>();

  get(target: string): T | undefined {
    return this.#values.get(target);
  }

  set(target: string, remembered: T): void {
    this.#values.set(target, remembered);
  }

  /** Forgets the targets that this scrape does not configure. */
  keepOnly({ settings }: Scrape): void {
    const names = new Set(settings.targets.map((target) => target.name));
    for (const target of this.#values.keys()) if (!names.has(target)) this.#values.delete(target);
  }
}
