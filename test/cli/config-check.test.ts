import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { issue, issueCa, writeFiles } from "../support/certificates.ts";
import { runLine } from "./run-line.ts";

let folder: string;
let remove: () => Promise<void>;

beforeAll(async () => {
  const [ca, { cert, key }, other] = [await issueCa(), await issue(), await issue()];
  const { paths, ...files } = await writeFiles({
    "ca.pem": ca.cert,
    "torn.pem": ca.cert + ca.cert.slice(0, 300),
    "cert.pem": cert,
    "key.pem": key,
    "other.key": other.key,
    "text.pem": "a certificate",
  });
  folder = dirname(paths["ca.pem"]);
  mkdirSync(join(folder, "folder"));
  remove = files.remove;
});
afterAll(() => remove());

const pair = (cert: string, key: string) => `cert: ${cert}, key: ${key}`;

async function checked(tls: string) {
  const file = join(folder, "config.yaml");
  writeFileSync(file, `targets:\n  - { name: a, address: a:1, tls: { ${tls} } }\n`);
  const { exit, stderr } = await runLine(`config check ${file}`);
  return { exit, fault: stderr.split("\n")[0]?.replace(`${file}:`, "") };
}

it.each([
  ["no file", ""],
  ["a whole bundle", "ca: ca.pem"],
  ["a certificate and its key", `ca: ca.pem, ${pair("cert.pem", "key.pem")}`],
])("passes %s", async (_what, tls) => {
  expect(await checked(tls)).toEqual({ exit: 0, fault: "" });
});

const CERTIFICATE = "allowed: a file with a whole certificate (PEM)";

it.each([
  [
    "a bundle without a certificate",
    "ca: text.pem",
    `2:41: targets[0].tls.ca: found text.pem (no certificate in it), ${CERTIFICATE}`,
  ],
  [
    "half a bundle",
    "ca: torn.pem",
    `2:41: targets[0].tls.ca: found torn.pem (ends too early), ${CERTIFICATE}`,
  ],
  ["a folder", "ca: folder", `2:41: targets[0].tls.ca: found folder (EISDIR), ${CERTIFICATE}`],
  [
    "the key of another certificate",
    pair("cert.pem", "other.key"),
    expect.stringMatching(
      /^2:\d+: targets\[0\]\.tls\.key: found other\.key \(.*mismatch\), allowed/,
    ),
  ],
  [
    "a certificate and key that are swapped",
    pair("key.pem", "cert.pem"),
    expect.stringMatching(/^2:\d+: targets\[0\]\.tls\.cert: found key\.pem \(.+\), allowed/),
  ],
  [
    "a key that is none",
    pair("cert.pem", "text.pem"),
    expect.stringMatching(/^2:\d+: targets\[0\]\.tls\.key: found text\.pem \(.+\), allowed/),
  ],
])("refuses %s, with its place", async (_what, tls, fault: string) => {
  expect(await checked(tls)).toEqual({ exit: 3, fault });
});
