import { FLOODS } from "../../support/hostile/floods.ts";
import { type RawServerOptions, startRawServer } from "../../support/hostile/raw-server.ts";
import { type Gallery, probed } from "../hostile-case.ts";

/** Servers that never stop, each with one kind of frame, towards our own connections and a probe's. */
export const FRAME_FLOODS: Gallery = Object.fromEntries(
  Object.entries<RawServerOptions>(FLOODS).map(([kind, options]) => [
    `flood-${kind.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`,
    probed(() => startRawServer(options)),
  ]),
);
