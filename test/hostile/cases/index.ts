import type { Gallery } from "../hostile-case.ts";
import { COLLECTORS, FRAME_FLOODS } from "./floods.ts";
import { METRICS } from "./metrics.ts";
import { NAMES } from "./names.ts";
import { REPLIES } from "./replies.ts";
import { SESSIONS } from "./sessions.ts";
import { SILENCE } from "./silence.ts";
import { VAST } from "./vast.ts";

/** By what is hostile in them. */
export const GALLERIES = {
  silence: SILENCE,
  sessions: SESSIONS,
  floods: FRAME_FLOODS,
  collectors: COLLECTORS,
  replies: REPLIES,
  vast: VAST,
  names: NAMES,
  metrics: METRICS,
} satisfies Readonly<Record<string, Gallery>>;

export type GalleryName = keyof typeof GALLERIES;
