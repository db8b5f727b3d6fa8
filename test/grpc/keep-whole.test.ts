import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readCredentials } from "../../src/grpc/credentials.ts";
import { type FilesTold, keepWhole } from "../../src/grpc/keep-whole.ts";
import type { Target } from "../../src/model/target.ts";
import { issue, issueCa, writeFiles } from "../support/certificates.ts";
import { createManualClock } from "../support/clock.ts";
import { faultOf } from "../support/faults.ts";
import { aTarget } from "../support/targets.ts";

type File = "token" | "ca" | "cert" | "key";
let whole: Readonly<Record<File, string>>;
let renewed: Readonly<Record<File, string>>;
let paths: Readonly<Record<File, string>>;
let remove: () => Promise<void>;

beforeAll(async () => {
  whole = await someContents("first");
  renewed = await someContents("second");
  ({ paths, remove } = await writeFiles(whole));
});
afterAll(() => remove());

async function someContents(token: string): Promise<Readonly<Record<File, string>>> {
  const [ca, { cert, key }] = [await issueCa(), await issue()];
  return { token, ca: ca.cert, cert, key };
}

function write(contents: Partial<Record<File, string>>): void {
  for (const file of Object.keys(contents) as File[]) {
    writeFileSync(paths[file], contents[file] ?? "");
  }
}

/** Reads as the agent does, with all files whole at first. */
function aReader() {
  write(whole);
  const clock = createManualClock();
  const told: FilesTold[] = [];
  const keep = keepWhole({ clock, tell: (one) => void told.push(one) });
  const { token, ca, cert, key } = paths;
  const stated: Partial<Target> = {
    tls: { mode: "tls", ca, cert, key },
    metadata: [{ key: "authorization", value: { kind: "file", path: token, prefix: "" } }],
  };
  return { clock, told, read: () => readCredentials(aTarget("127.0.0.1:1", stated), keep) };
}

const credentialsOf = ({ token, ...tls }: Readonly<Record<File, string>>) => ({
  metadata: [["authorization", token]],
  tls,
});

it("takes what is new and whole, and tells nothing", async () => {
  const { read, told } = aReader();
  expect(await read()).toEqual(credentialsOf(whole));
  write(renewed);
  expect(await read()).toEqual(credentialsOf(renewed));
  expect(told).toEqual([]);
});

it("has nothing to go on with where they never were whole, and says so once", async () => {
  const { read, told, clock } = aReader();
  write({ token: "" });
  const fault = { phase: "tls", reason: "credentials" };
  expect(await faultOf(read())).toEqual(fault);
  await clock.advance(999);
  expect(await faultOf(read())).toEqual(fault);
  expect(told).toEqual([]);
  await clock.advance(1);
  expect(await faultOf(read())).toEqual(fault);
  expect(await faultOf(read())).toEqual(fault);
  const which = [paths.token];
  expect(told).toEqual([{ paths: which, fault: `${paths.token}: empty`, hasNone: true }]);
  write(whole);
  expect(await read()).toEqual(credentialsOf(whole));
  expect(told.slice(1)).toEqual([{ paths: which }]);
});

it("tells nothing of what is whole within a second", async () => {
  const { read, told, clock } = aReader();
  await read();
  write({ cert: renewed.cert });
  expect(await read()).toEqual(credentialsOf(whole));
  await clock.advance(999);
  expect(await read()).toEqual(credentialsOf(whole));
  write({ key: renewed.key });
  expect(await read()).toEqual(credentialsOf({ ...whole, cert: renewed.cert, key: renewed.key }));
  expect(told).toEqual([]);
});

it.each<readonly [string, File, (file: string) => string, readonly File[], RegExp]>([
  ["an empty token", "token", () => "\n", ["token"], /: empty$/],
  [
    "half a bundle",
    "ca",
    (pem) => pem + pem.slice(0, 300),
    ["ca", "cert", "key"],
    /ends too early/,
  ],
  ["half a chain", "cert", (pem) => pem + pem.slice(0, 300), ["ca", "cert", "key"], /PEM/],
  ["half a key", "key", (pem) => pem.slice(0, 60), ["ca", "cert", "key"], /error/],
])("goes on with what was whole, told once: %s", async (_what, file, torn, files, fault) => {
  const { read, told, clock } = aReader();
  await read();
  write({ [file]: torn(renewed[file]) });
  await read();
  await clock.advance(1_000);
  expect(await read()).toEqual(credentialsOf(whole));
  await clock.advance(3_600_000);
  expect(await read()).toEqual(credentialsOf(whole));
  const which = files.map((one) => paths[one]);
  expect(told).toEqual([{ paths: which, fault: expect.stringMatching(fault) }]);
  write(renewed);
  expect(await read()).toEqual(credentialsOf(renewed));
  await read();
  expect(told.slice(1)).toEqual([{ paths: which }]);
});
