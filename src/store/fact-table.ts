import type { FactName, Facts } from "../model/facts/index.ts";
import type { Known } from "../model/snapshot.ts";
import type { Instant } from "../model/time.ts";
import { type Fold, type FoldContext, type Input, isRead } from "./fold.ts";

/** One fact: what its fold remembers, what it shows, and until when that holds. */
export interface Entry {
  readonly state: unknown;
  readonly known: Extract<Known<unknown>, { readonly state: "known" }>;
  readonly expiresAt: Instant;
}

/** What one input did to one fact. */
interface Effect {
  readonly isOther: boolean;
  readonly isNews: boolean;
}

const NO_EFFECT: Effect = { isOther: false, isNews: false };
const NOT_YET = { state: "unknown", why: "not-yet" } as const;
const STALE = { state: "unknown", why: "stale" } as const;

/** The facts of one target with their ages: what is too old is decided here. */
export class FactTable {
  readonly #entries = new Map<FactName, Entry>();

  entry(name: FactName): Entry | undefined {
    return this.#entries.get(name);
  }

  put(name: FactName, entry: Entry): void {
    this.#entries.set(name, entry);
  }

  /** The value of a fact, whatever its age. */
  value<K extends FactName>(name: K): Facts[K] | undefined {
    return this.#entries.get(name)?.known.value as Facts[K] | undefined;
  }

  /** The value of a fact that is young enough at this instant. */
  young<K extends FactName>(name: K, at: Instant): Facts[K] | undefined {
    const entry = this.#entries.get(name);
    return entry !== undefined && at <= entry.expiresAt ? this.value(name) : undefined;
  }

  known(name: FactName, now: Instant, prune?: Fold["prune"]): Known<unknown> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return NOT_YET;
    if (now > entry.expiresAt) return STALE;
    const { known } = entry;
    const value = prune?.(known.value, now) ?? known.value;
    return value === known.value ? known : { ...known, value };
  }

  /** Folds an input; only what a fold `reads` makes its fact younger. */
  fold(fold: Fold, input: Input, context: FoldContext): Effect {
    const before = this.#entries.get(fold.fact);
    const state = fold.step(before?.state, input, context);
    if (state === undefined) return NO_EFFECT;
    const value = fold.tell(state);
    if (before === undefined || isRead(fold, input)) {
      const known = { state: "known", at: input.at, value } as const;
      const expiresAt = input.at + fold.maxAgeMs(input, context);
      this.#entries.set(fold.fact, { state, known, expiresAt });
    } else {
      this.#entries.set(fold.fact, { ...before, state, known: { ...before.known, value } });
    }
    const isOther = value !== before?.known.value;
    return { isOther, isNews: isOther && fold.isNews(before?.known.value, value) };
  }

  /** The stream that kept it young has ended. */
  lapse(name: FactName, at: Instant): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.expiresAt > at) {
      this.#entries.set(name, { ...entry, expiresAt: at });
    }
  }

  /** Keeps what outlives the watched process. */
  renew(fold: Fold): void {
    const entry = this.#entries.get(fold.fact);
    if (entry === undefined) return;
    const state = fold.renew(entry.state);
    if (state === undefined) this.#entries.delete(fold.fact);
    else {
      const known = { ...entry.known, value: fold.tell(state) };
      this.#entries.set(fold.fact, { ...entry, state, known });
    }
  }
}
