import { mkdtemp, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { files } from "../../src/sources/files.ts";
import { bundle, issue, issueCa } from "../support/certificates.ts";
import { createManualClock, START } from "../support/clock.ts";
import { aTools, observe } from "../support/tools.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "files-"));
  path = join(folder, "tls.crt");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const base = { source: "files", target: "app", at: START };
const look = () =>
  observe(
    files,
    {
      key: "files/app",
      source: "files",
      label: "files",
      target: "app",
      cadence: { kind: "every", ms: 60_000 },
      deadlineMs: 5_000,
      certificate: path,
    },
    aTools({ clock: createManualClock() }),
  );

it("yields the first certificate of the file, and when the file changed", async () => {
  const ca = await issueCa();
  const leaf = await issue({ issuer: ca });
  await writeFile(path, `${leaf.key}\n${bundle(leaf, ca)}`);
  await utimes(path, START / 1_000, START / 1_000 - 60);

  const { fingerprint, notBefore, notAfter } = leaf;
  expect(await look()).toEqual([
    { ...base, kind: "capability", available: true },
    {
      ...base,
      kind: "certificate",
      path,
      fingerprint,
      notBefore,
      notAfter,
      changedAt: START - 60_000,
      keyType: "ec",
    },
  ]);
});

it("says what is wrong with a file that holds none", async () => {
  await writeFile(path, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
  expect(await look()).toMatchObject([
    { kind: "capability", available: true },
    { kind: "certificate", path, error: "the file holds no certificate" },
  ]);
});

it("says what is missing where there is no file", async () => {
  const error = "the file cannot be read (ENOENT)";
  const fix = "Mount the volume with the server's certificate into the agent's container.";
  expect(await look()).toEqual([
    { ...base, kind: "capability", available: false, reason: error, fix },
    { ...base, kind: "certificate", path, error },
  ]);
});

it("reads no file that is far too big for a certificate", async () => {
  await writeFile(path, "");
  await truncate(path, 2 ** 21);
  const reason = "the file exceeds 1 MiB";
  expect(await look()).toMatchObject([{ available: false, reason }, { error: reason }]);
});
