import { afterAll, beforeAll, expect, it } from "vitest";
import { issue, writeFiles } from "../support/certificates.ts";
import { runLine } from "./run-line.ts";

// Nothing listens at port 1, and no test gives a tool that looks: what is told was told before dialling.
const COMMANDS = [
  "check 127.0.0.1:1",
  "channelz 127.0.0.1:1",
  "describe 127.0.0.1:1",
  "config init 127.0.0.1:1",
  "call 127.0.0.1:1 order.OrderService/GetOrder",
];

let paths: Readonly<Record<"cert" | "key" | "otherKey" | "text", string>>;
let remove: () => Promise<void>;
beforeAll(async () => {
  const [one, other] = [await issue(), await issue()];
  ({ paths, remove } = await writeFiles({
    cert: one.cert,
    key: one.key,
    otherKey: other.key,
    text: "no PEM",
  }));
});
afterAll(() => remove());

async function refusal(line: string): Promise<string> {
  const { exit, stdout, stderr } = await runLine(line);
  expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
  return stderr.split("\n")[0] ?? "";
}

it.each(COMMANDS)("%s dials with files that can be used", async (line) => {
  const { stderr } = await runLine(`${line} -cert ${paths.cert} -key ${paths.key}`);
  expect(stderr).not.toContain("cannot be");
});

it.each(COMMANDS)("%s names the flag and the file that is not there", async (line) => {
  expect(await refusal(`${line} -cacert /none/ca.pem`)).toMatch(
    /: -cacert \/none\/ca\.pem cannot be read \(no such file\)$/,
  );
  expect(await refusal(`${line} -cert /none/c.pem -key /none/k.pem`)).toMatch(
    /: -cert \/none\/c\.pem cannot be read \(no such file\)$/,
  );
});

it.each(COMMANDS)("%s names files that hold what they should not", async (line) => {
  expect(await refusal(`${line} -cacert ${paths.text}`)).toContain(
    `-cacert ${paths.text} cannot be used: ${paths.text}: no certificate in it`,
  );
  expect(await refusal(`${line} -cert ${paths.cert} -key ${paths.otherKey}`)).toMatch(
    / -cert \S+ -key \S+ cannot be used: .*key values mismatch/,
  );
  expect(await refusal(`${line} -cacert /`)).toMatch(/ -cacert \/ is a folder$/);
});

it.each(["describe 127.0.0.1:1 a.B", "call 127.0.0.1:1 order.OrderService/GetOrder"])(
  "%s takes compiled types alone",
  async (line) => {
    expect(await refusal(`${line} -protoset a/order.proto`)).toContain(
      ": -protoset takes a compiled FileDescriptorSet, made by: buf build a --path a/order.proto -o a/order.binpb or: protoc -I a ",
    );
    expect(await refusal(`${line} -protoset /none.binpb`)).toMatch(
      /: -protoset \/none\.binpb cannot be read \(no such file\)$/,
    );
    expect(await refusal(`${line} -protoset ${paths.text}`)).toContain(
      `: -protoset ${paths.text} is no descriptor set, or an incomplete one`,
    );
  },
);
