import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { REMEDIES } from "../../src/findings/remedies/index.ts";
import type { Remedies } from "../../src/findings/remedies/remedy.ts";
import { builtFile } from "./peer.ts";

/** The very lines of the remedies, compiled or run by the libraries that they are for. */
const run = promisify(execFile);
const LONGEST_MS = 300_000;
const PEERS = fileURLToPath(new URL(".", import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "remedies-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const linesOf = (remedies: Remedies, side: "server" | "client") =>
  Object.values(remedies).flatMap((remedy) => remedy[side] ?? []);

it("compiles those of grpc-go", { timeout: LONGEST_MS }, async () => {
  await cp(join(PEERS, "go/go.mod"), join(folder, "go.mod"));
  await cp(join(PEERS, "go/go.sum"), join(folder, "go.sum"));
  const listed = (side: "server" | "client") => linesOf(REMEDIES.go, side).join(",\n\t\t");
  await writeFile(
    join(folder, "main.go"),
    `package main

import (
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

func load(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }

func main() {
	grpc.NewServer(
		${listed("server")},
	)
	grpc.NewClient(
		"localhost:1",
		${listed("client")},
	)
	_ = time.Minute
}
`,
  );
  const build = ["build", "-mod=mod", "-o", join(folder, "out"), "."];
  expect(await run("go", build, { cwd: folder })).toMatchObject({ stderr: "" });
});

it("compiles those of grpc-java", { timeout: LONGEST_MS }, async () => {
  const chained = (side: "server" | "client") => linesOf(REMEDIES.java, side).join("\n      ");
  await writeFile(
    join(folder, "Lines.java"),
    `import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.util.concurrent.TimeUnit;

class Lines {
  Object server = NettyServerBuilder.forPort(0)
      ${chained("server")};
  Object client = NettyChannelBuilder.forTarget("localhost:1")
      ${chained("client")}
      .disableRetry();
}
`,
  );
  const classPath = join(builtFile("java/peer.jar"), "../lib/*");
  const compile = ["-cp", classPath, "-d", folder, join(folder, "Lines.java")];
  expect(await run("javac", compile)).toMatchObject({ stderr: "" });
});

it("finds those of C-core among the arguments that it reads", {
  timeout: LONGEST_MS,
}, async () => {
  const python = builtFile("python/bin/python");
  const told = ["-c", "import grpc._cython.cygrpc as c; print(c.__file__)"];
  const core = await readFile((await run(python, told)).stdout.trim());
  const words = ["server", "client"] as const;
  const lines = words.flatMap((side) => linesOf(REMEDIES["c-core"], side));
  const names = lines.flatMap((line) => line.split(", ").map((one) => one.replace(/=\d+$/, "")));
  expect(names.length).toBeGreaterThan(lines.length);
  expect(names.filter((name) => !core.includes(`${name}\0`))).toEqual([]);
});
