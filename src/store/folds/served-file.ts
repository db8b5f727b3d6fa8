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
  fold(_previous, { source: _source, kind: _kind, target: _target, at: _at, ...file }) {
    return file;
  },
});
