import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runLine } from "./run-line.ts";

const POD = `apiVersion: v1
kind: Pod
metadata:
  name: orders
spec:
  containers:
    - name: orders
      ports: [{ name: grpc, containerPort: 50051 }]
`;
const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
const file = join(folder, "pod.yaml");
writeFileSync(file, POD);

async function* input(text: string) {
  yield Buffer.from(text);
}

it("injects from standard input, and back", async () => {
  const there = await runLine("inject -", { stdin: input(POD) });
  expect(there).toMatchObject({ exit: 0, stderr: "" });
  await expect(there.stdout).toMatchFileSnapshot("golden/injected.yaml");
  const back = await runLine("inject --uninject -", { stdin: input(there.stdout) });
  expect(back).toEqual({ exit: 0, stdout: POD, stderr: "" });
});

it("shows what would change as a diff", async () => {
  const { exit, stdout } = await runLine(["inject", "--diff", "--image", "doctor:2", file]);
  expect(exit).toBe(0);
  await expect(stdout.replaceAll(file, "pod.yaml")).toMatchFileSnapshot("golden/injected.diff");
});

it("shows nothing where nothing would change", async () => {
  const { stdout } = await runLine(["inject", file]);
  expect(await runLine("inject --diff -", { stdin: input(stdout) })).toEqual({
    exit: 0,
    stdout: "",
    stderr: "",
  });
});

it("hands on what it leaves alone, and says why", async () => {
  const text = POD.replace("grpc", "http");
  expect(await runLine("inject -", { stdin: input(text) })).toEqual({
    exit: 0,
    stdout: text,
    stderr:
      "left alone: Pod orders: it names no gRPC port: name one grpc…, or set the annotation grpc-doctor.io/port\n",
  });
});

const DOS = POD.replaceAll("\n", "\r\n");

it("writes lines that end in CRLF as they are, also on a terminal", async () => {
  const isTerminal = { stdout: true, stderr: true };
  const alone = DOS.replace("grpc", "http");
  const outcomes = await Promise.all(
    [{}, { isTerminal }].map((where) => runLine("inject -", { stdin: input(alone), ...where })),
  );
  expect(outcomes.map(({ stdout }) => stdout)).toEqual([alone, alone]);
});

it("takes the agent out of lines that end in CRLF, and shows it as a diff", async () => {
  const { stdout: there } = await runLine("inject -", { stdin: input(DOS) });
  const back = await runLine("inject --uninject -", { stdin: input(there) });
  expect(back).toEqual({ exit: 0, stdout: DOS, stderr: "" });
  const { stdout: diff } = await runLine("inject --diff -", { stdin: input(DOS) });
  expect(diff).toContain(" metadata:\r\n   name: orders\r\n+  annotations:\r\n");
  expect(diff).not.toMatch(/^-[^-]/m);
});

it("hands on what steers a terminal, and shows a terminal its escape", async () => {
  const text = "kind: ConfigMap\ndata: { sign: a\u200eb }\n";
  const isTerminal = { stdout: true, stderr: true };
  const piped = await runLine("inject -", { stdin: input(text) });
  const shown = await runLine("inject -", { stdin: input(text), isTerminal });
  expect([piped.stdout, shown.stdout]).toEqual([text, text.replace("\u200e", "\\u200e")]);
});

it("writes nothing for broken YAML, names line and column, and exits 2", async () => {
  expect(await runLine("inject -", { stdin: input(`${POD}  - x\n`) })).toEqual({
    exit: 2,
    stdout: "",
    stderr: expect.stringMatching(/^-:9:1: [^\n]+\n$/),
  });
});

it.each([
  ["inject --mode sidecar -", "--mode takes native or classic, not sidecar"],
  ["inject /nowhere/pod.yaml", "/nowhere/pod.yaml cannot be read (no such file)"],
  ["inject", "FILE is missing"],
])("%s is a wrong call", async (line, said) => {
  const { exit, stdout, stderr } = await runLine(line, { stdin: input("") });
  expect({ exit, stdout, stderr }).toEqual({
    exit: 2,
    stdout: "",
    stderr: expect.stringContaining(said),
  });
});
