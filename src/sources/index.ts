import type { SourceName } from "../model/source-name.ts";
import { channelz } from "./channelz.ts";
import { dns } from "./dns.ts";
import { files } from "./files.ts";
import { health } from "./health.ts";
import { kernel } from "./kernel.ts";
import { metrics } from "./metrics.ts";
import { preflight } from "./preflight.ts";
import { probe } from "./probe.ts";
import type { Source } from "./source.ts";

/** Every way to look at the world, by its name. */
export const SOURCES: { readonly [S in SourceName]: Source<S> } = {
  health,
  channelz,
  preflight,
  probe,
  dns,
  kernel,
  metrics,
  files,
};
