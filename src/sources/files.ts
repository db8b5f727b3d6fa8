import { readMountedFile } from "../host/files.ts";
import { present } from "../model/present.ts";
import { certificateFacts, keyTypeOf, readBundle } from "../net/certificate.ts";
import { defineSource } from "./source.ts";

/**
 * Reads the certificate file that the server is said to serve, as it is mounted here: a renewal that
 * the server did not load shows as a difference to what the X-ray sees. The first certificate of the
 * file is the server's own. Private keys in it are not looked at.
 */
export const files = defineSource({
  name: "files",

  async *observe({ job, signal }, { clock }) {
    const { certificate: path, target } = job;
    const file = await readMountedFile(path);
    if (signal.aborted) return;
    const base = { source: "files", target, at: clock.now() } as const;
    const seen = { ...base, kind: "certificate", path } as const;
    if (file.outcome === "unreadable") {
      const fix = "Mount the volume with the server's certificate into the agent's container.";
      yield { ...base, kind: "capability", available: false, reason: file.error, fix };
      yield { ...seen, error: file.error };
      return;
    }
    yield { ...base, kind: "capability", available: true };
    const { changedAt } = file;
    const [leaf] = readBundle(file.text);
    if (leaf === undefined) {
      yield { ...seen, changedAt, error: "the file holds no certificate" };
      return;
    }
    const { fingerprint, notBefore, notAfter } = certificateFacts(leaf);
    const keyType = keyTypeOf(leaf);
    yield { ...seen, fingerprint, notBefore, notAfter, changedAt, ...present({ keyType }) };
  },
});
