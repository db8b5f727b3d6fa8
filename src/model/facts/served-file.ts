import type { FilesObservation } from "../observation.ts";
import type { Instant } from "../time.ts";

/** The certificate file that the server reads, as mounted here. */
export type ServedFile = Pick<
  FilesObservation,
  "path" | "fingerprint" | "notBefore" | "notAfter" | "changedAt" | "keyType" | "error"
> & {
  /** Since when the file has held this certificate, as far as the agent has seen. */
  readonly since?: Instant;
};
