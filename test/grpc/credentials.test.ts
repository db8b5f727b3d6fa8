import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCredentials } from "../../src/grpc/credentials.ts";
import type { Target } from "../../src/model/target.ts";
import { issue, issueCa, writeFiles } from "../support/certificates.ts";
import { faultOf } from "../support/faults.ts";
import { aTarget } from "../support/targets.ts";

type File = "token" | "empty" | "ca" | "torn" | "cert" | "key" | "otherKey" | "text";
let files: Readonly<Record<File, string>>;
let contents: Readonly<Record<File, string>>;
let remove: () => Promise<void>;

beforeAll(async () => {
  const [one, other] = [await issue(), await issue()];
  const ca = await issueCa();
  contents = {
    token: " s3cret\n",
    empty: "\n",
    ca: ca.cert,
    torn: ca.cert + ca.cert.slice(0, -10),
    cert: one.cert,
    key: one.key,
    otherKey: other.key,
    text: "no PEM",
  };
  const written = await writeFiles(contents);
  files = written.paths;
  remove = written.remove;
});
afterAll(() => remove());

const read = (stated: Partial<Target>) => readCredentials(aTarget("127.0.0.1:1", stated));
const token = (path: string, prefix = "Bearer ") =>
  ({ metadata: [{ key: "authorization", value: { kind: "file", path, prefix } }] }) as const;

describe("credentials", () => {
  test("are empty where none are configured", async () => {
    expect(await read({})).toEqual({ metadata: [], tls: {} });
    expect(await read({ tls: { mode: "plaintext" } })).toEqual({ metadata: [], tls: {} });
  });

  test("are read from their files, trimmed and with their prefix, each time anew", async () => {
    const first = await read(token(files.token));
    await writeFile(files.token, "rotated\n");
    const second = await read(token(files.token));

    expect(first.metadata).toEqual([["authorization", "Bearer s3cret"]]);
    expect(second.metadata).toEqual([["authorization", "Bearer rotated"]]);
  });

  test("hold the contents of the bundle, the certificate and its key", async () => {
    const { ca, cert, key } = files;
    expect((await read({ tls: { mode: "tls", ca, cert, key } })).tls).toEqual({
      ca: contents.ca,
      cert: contents.cert,
      key: contents.key,
    });
  });

  const faults: readonly (readonly [string, () => Partial<Target>, object])[] = [
    ["a missing file", () => token("/nowhere/token"), { errno: "ENOENT" }],
    ["a file without end", () => token("/dev/zero"), {}],
    ["a value that breaks the line", () => token(files.ca), {}],
    ["an empty token", () => token(files.empty), {}],
    ["a bundle that ends too early", () => ({ tls: { mode: "tls", ca: files.torn } }), {}],
    ["a bundle without certificates", () => ({ tls: { mode: "tls", ca: files.text } }), {}],
    [
      "a broken certificate",
      () => ({ tls: { mode: "tls", cert: files.text, key: files.key } }),
      {},
    ],
    [
      "another certificate's key",
      () => ({ tls: { mode: "tls", cert: files.cert, key: files.otherKey } }),
      {},
    ],
  ];

  test.each(faults)(
    "are refused, without a word of their content: %s",
    async (_s, stated, more) => {
      expect(await faultOf(read(stated()))).toEqual({
        phase: "tls",
        reason: "credentials",
        ...more,
      });
    },
  );
});
