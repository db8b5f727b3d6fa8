import type { FoldContext } from "../fold.ts";

/** 2.5 × the cadence of channelz, which each target states for itself. */
export function channelzAgeMs(_input: unknown, { target }: FoldContext): number {
  return 2.5 * (target?.channelz?.everyMs ?? DEFAULT_EVERY_MS);
}

const DEFAULT_EVERY_MS = 10_000;
