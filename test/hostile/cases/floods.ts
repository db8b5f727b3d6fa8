import { FLOODS } from "../../support/hostile/floods.ts";
import { type RawServerOptions, startRawServer } from "../../support/hostile/raw-server.ts";
import { at, type Gallery } from "../hostile-case.ts";

/** Servers that never stop, each with one kind of frame. */
export const FRAME_FLOODS: Gallery = Object.fromEntries(
  Object.entries<RawServerOptions>(FLOODS).map(([kind, options]) => [
    `flood-${kind.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`,
    at(() => startRawServer(options)),
  ]),
);
