import type { SourceName } from "./source-name.ts";
import type { Instant } from "./time.ts";

/** What a source can or cannot see at a target, and why. */
export interface Capability {
  readonly source: SourceName;
  readonly part?: string;
  readonly available: boolean;
  readonly reason?: string;
  readonly fix?: string;
  readonly since: Instant;
}
