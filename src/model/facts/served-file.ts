import type { FilesObservation } from "../observation.ts";

/** The certificate file that the server reads, as mounted here. */
export type ServedFile = Pick<
  FilesObservation,
  "path" | "fingerprint" | "notBefore" | "notAfter" | "changedAt" | "error"
>;
