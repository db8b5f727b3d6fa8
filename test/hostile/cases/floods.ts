import { FLOODS, inTurn } from "../../support/hostile/floods.ts";
import { type RawServerOptions, startRawServer } from "../../support/hostile/raw-server.ts";
import { type Gallery, probed } from "../hostile-case.ts";

/** Servers that never stop, each with one kind of frame, towards our own connections and a probe's. */
export const FRAME_FLOODS: Gallery = Object.fromEntries(
  Object.entries<RawServerOptions>(FLOODS).map(([kind, options]) => [
    `flood-${kind.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`,
    probed(() => startRawServer(options)),
  ]),
);

/** The agent's own collector of spans does it all, one connection after the other. */
export const COLLECTORS: Gallery = {
  "flood-collector": async () => {
    const { address } = await startRawServer(inTurn(Object.values(FLOODS)));
    return { collector: `http://${address}` };
  },
};
