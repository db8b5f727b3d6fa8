import { cCore } from "./c-core.ts";
import type { Dialect, Evidence } from "./dialect.ts";
import { go } from "./go.ts";
import { grpcJs } from "./grpc-js.ts";
import { java } from "./java.ts";
import { tonic } from "./tonic.ts";
import { unknown } from "./unknown.ts";

/** Every dialect that can be told; the sharpest names first. */
const DIALECTS: readonly Dialect[] = [cCore, java, grpcJs, go, tonic];

/**
 * The dialect that the evidence tells: by the names in channelz, else by the text of an UNIMPLEMENTED,
 * else by the SETTINGS. What none of them tells is `unknown`, never the likeliest.
 */
export function dialectOf({ server, unimplementedText, settings }: Evidence): Dialect {
  const by =
    (server && DIALECTS.find(({ tells }) => tells.server(server))) ??
    (unimplementedText !== undefined
      ? DIALECTS.find(({ tells }) => tells.unimplemented(unimplementedText))
      : undefined) ??
    (settings && DIALECTS.find(({ tells }) => tells.settings(settings)));
  return by ?? unknown;
}
