import type { ServedFile } from "../../model/facts/served-file.ts";
import { defineFold } from "../fold.ts";

/** The certificate file that the server reads, as it is mounted here. */
export const servedFileFold = defineFold({
  fact: "servedFile",
  of: ["app", "upstream"],
  source: "files",
  reads: ["files/certificate"],
  bound: "one file",
  maxAgeMs: 150_000,
  inNewEpoch: "stays",
  isNews: (before, after) =>
    before?.fingerprint !== after.fingerprint || before?.error !== after.error,
  fold(
    previous: ServedFile | undefined,
    { source: _source, kind: _kind, target: _target, at, ...file },
  ) {
    const isSame = previous?.fingerprint === file.fingerprint && previous?.since !== undefined;
    return { ...file, since: isSame ? previous.since : at };
  },
});
