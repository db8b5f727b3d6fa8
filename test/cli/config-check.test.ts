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

async function* input(text: string) {
  yield Buffer.from(text);
}

it.each([
  ["check", "-: fine (1 target, 0 probes)\n"],
  ["print", expect.stringContaining("address: a:1\n")],
])("%s reads standard input", async (command, stdout: string) => {
  const text = "targets: [{ name: a, address: 'a:1' }]\n";
  expect(await runLine(`config ${command} -`, { stdin: input(text) })).toEqual({
    exit: 0,
    stdout,
    stderr: "",
  });
});

it("names the place of a fault on standard input", async () => {
  expect(await runLine("config check -", { stdin: input("targets: []\n") })).toEqual({
    exit: 3,
    stdout: "",
    stderr: "-:1:10: targets: found an empty list, allowed: at least one target\n1 fault\n",
  });
});

it("says in words that there is no such file", async () => {
  expect(await runLine("config check /nowhere/config.yaml")).toEqual({
    exit: 3,
    stdout: "",
    stderr:
      "/nowhere/config.yaml:1:1: (file): found a file that cannot be read (no such file), allowed: a readable YAML file\n1 fault\n",
  });
});
