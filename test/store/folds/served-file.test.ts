import { expect, it } from "vitest";
import type { FilesObservation } from "../../../src/model/observation.ts";
import { folded } from "../../support/folded.ts";
import { after } from "../../support/observations.ts";

const read = (seconds: number, fingerprint?: string): FilesObservation => ({
  source: "files",
  kind: "certificate",
  target: "app",
  at: after(seconds),
  path: "/tls.crt",
  ...(fingerprint === undefined ? { error: "gone" } : { fingerprint, keyType: "ec" }),
});

it.each([
  ["it was read first", [read(0, "a1"), read(60, "a1")], 0],
  ["it was another before", [read(0, "b2"), read(60, "a1"), read(120, "a1")], 60],
  ["it could not be read before", [read(0, "a1"), read(60), read(120, "a1")], 120],
])("knows the certificate of the file since %s", (_when, reads, since) => {
  expect(folded("servedFile", reads)).toEqual({
    path: "/tls.crt",
    fingerprint: "a1",
    keyType: "ec",
    since: after(since),
  });
});
