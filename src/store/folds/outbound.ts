import type { Outbound } from "../../model/facts/outbound.ts";
import type { ChannelzObservation } from "../../model/observation.ts";
import { isKeepable } from "../../model/server-name.ts";
import type { RemoteRows } from "../../model/socket-rows.ts";
import { defineFold } from "../fold.ts";
import { addedToMinutes } from "../outbound-minutes.ts";
import { pushed } from "../ring.ts";
import { kernelAgeMs } from "./kernel-age.ts";

const MOST_READS = 12;
const MOST_REMOTES = 100;
const MOST_NAMES = 500;

const NOTHING: Outbound = { reads: [], minutes: [], knownAs: {} };

/**
 * The app's rows towards an upstream, or on the target that owns the pod towards all others. Which of
 * them a channel of the app names, only channelz knows: a remote that none names may be a database.
 */
export const outboundFold = defineFold({
  fact: "outbound",
  of: ["app", "upstream"],
  source: "kernel",
  reads: ["kernel/read"],
  alsoReads: ["channelz/cycle"],
  bound: "12 reads and 12 minutes of 100 remotes, 500 names",
  maxAgeMs: kernelAgeMs,
  inNewEpoch: "stays",

  fold(previous: Outbound | undefined, input, { role }) {
    if (input.kind === "cycle") {
      return previous === undefined ? undefined : { ...previous, knownAs: namesIn(input) };
    }
    // On the host's network the rows may be of any process.
    if (!input.sharesNetwork || input.surroundings.hostNetwork) return undefined;
    const rows = role === "upstream" ? input.remotes : input.otherRemotes;
    const read = { at: input.at, remotes: rows.toSorted(worstFirst).slice(0, MOST_REMOTES) };
    const { reads, minutes, knownAs } = previous ?? NOTHING;
    return {
      reads: pushed(reads, read, MOST_READS),
      minutes: addedToMinutes(minutes, reads.at(-1), read),
      knownAs,
    };
  },
});

function worstFirst(a: RemoteRows, b: RemoteRows): number {
  return b.synSent - a.synSent || b.established - a.established;
}

/** Of a connection, and of a sub-channel that tries to have one. */
function namesIn({ channels }: ChannelzObservation): Outbound["knownAs"] {
  const names = channels.flatMap((channel) =>
    channel.subchannels.flatMap(({ target, remotes }) =>
      [...remotes, target]
        .filter((address) => address !== "" && isKeepable(address))
        .map((address) => [address, channel.target] as const),
    ),
  );
  return Object.fromEntries(names.slice(0, MOST_NAMES));
}
