import type { Implementation } from "../../model/channelz.ts";
import { knownValue, type TargetSnapshot } from "../../model/snapshot.ts";
import { cCore } from "./c-core.ts";
import { go } from "./go.ts";
import { grpcJs } from "./grpc-js.ts";
import { java } from "./java.ts";
import { type Remedies, remedyText } from "./remedy.ts";
import { tonic } from "./tonic.ts";

export const REMEDIES: Readonly<Record<Implementation, Remedies>> = {
  go,
  java,
  "c-core": cCore,
  "grpc-js": grpcJs,
  tonic,
  unknown: {},
};

/**
 * The remedy in the tongue of the server that is watched, as channelz or the kept connection tells it;
 * `undefined` where neither does, or where the code is mended alike in all of them.
 */
export function remedyFor(code: string, known: TargetSnapshot): string | undefined {
  const byChannelz = knownValue(known, "serverCalls")?.implementation ?? "unknown";
  const byTexts = knownValue(known, "kept")?.implementation ?? "unknown";
  const remedies = REMEDIES[byChannelz === "unknown" ? byTexts : byChannelz];
  const remedy = Object.hasOwn(remedies, code) ? remedies[code] : undefined;
  return remedy && remedyText(remedy);
}
