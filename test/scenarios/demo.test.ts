import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { aborted } from "../../src/cli/aborted.ts";
import type { Program } from "../../src/cli/program.ts";
import type { RunOptions } from "../../src/cli/tools.ts";
import type { FindingChange } from "../../src/model/finding.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { aFinding } from "../cli/a-report.ts";
import { runLine } from "../cli/run-line.ts";
import { twoFreePorts } from "../support/ports.ts";

const BUILT = {
  file: fileURLToPath(new URL("../../dist/lib/bin/main.js", import.meta.url)),
  protoDirectory: fileURLToPath(new URL("../../dist/proto", import.meta.url)),
};

interface Played {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the agent that stands in tells of when the demo says that something is broken, or healed. */
interface Play {
  readonly broken?: FindingChange["transition"];
  readonly healed?: FindingChange["transition"];
  /** Tells before all else that the agent does not keep up, and that it does again. */
  readonly overload?: readonly FindingChange["transition"][];
}

/** The demo's real world, with an agent that says its part at the cue, and no time to lose. */
async function play(code: string, { broken, healed, overload = [] }: Play) {
  let heard: RunOptions["heard"];
  let said = "";
  const tell = (transition: FindingChange["transition"] | undefined) => {
    const finding = aFinding({ code });
    if (transition !== undefined) heard?.({ transition, at: 0, finding });
  };
  // The alert is there before the fault is wholly made: the demo must not miss it.
  const stderr: Program["stderr"] = {
    write(text: string) {
      said += text;
      const cue = { broken, healed }[text.split(":", 1)[0] ?? ""];
      queueMicrotask(() => tell(cue));
    },
  };
  const clock: Program["clock"] = {
    ...systemClock,
    sleep: async () => undefined,
    deadline(ms, parent) {
      const cue = said.includes("healed:") ? healed : broken;
      return systemClock.deadline(cue === undefined ? 1 : ms, parent);
    },
  };
  const runAgent = async ({ signal }: Program, options: RunOptions) => {
    heard = options.heard;
    const finding = aFinding({ code: "agent-overloaded" });
    for (const transition of overload) heard?.({ transition, at: 0, finding });
    await aborted(signal);
  };
  const line = `demo --fault ${code}`;
  const { exit } = await runLine(line, { ...BUILT, clock, stderr }, { runAgent, detectors });
  return { exit, said: said.split("\n").slice(4) };
}

const detectors = async () => (await import("../../src/detectors/index.ts")).DETECTORS;

/**
 * The demo's real world, with these keys pressed as fast as they come, and then `q` once a line is told;
 * and an agent that says nothing.
 */
async function pressKeys(pressed: string, until: string) {
  let said = "";
  let hear = () => {};
  const told = new Promise<void>((resolve) => {
    hear = () => said.includes(until) && resolve();
  });
  const stderr: Program["stderr"] = {
    write(text: string) {
      said += text;
      hear();
    },
  };
  async function* keys() {
    yield* pressed;
    await told;
    yield "q";
  }
  const runAgent = ({ signal }: Program) => aborted(signal);
  const { exit } = await runLine("demo", { ...BUILT, stderr, keys }, { runAgent, detectors });
  return { exit, said: said.slice(said.indexOf(HEALS_ALL) + HEALS_ALL.length).split("\n") };
}

const HEALS_ALL = "h  heals all; q ends\n";
const healed = (code: string) =>
  `healed: ${code} is resolved once it was absent for its clearAfter, a minute or more`;

describe.concurrent("demo, by keys", () => {
  it("asks nothing of a process that is gone", async ({ expect }) => {
    expect(await pressKeys("7c947ab3h", healed("connection-refused"))).toEqual({
      exit: 0,
      said: [
        "broken: handlers of orders become slower than their callers' deadlines (deadline-storm)",
        "broken: orders is gone (connection-refused)",
        "        deadline-storm (key 7) ends with that",
        ...Array.from({ length: 6 }, () => "orders is gone: c or h heals that first"),
        healed("connection-refused"),
        "",
      ],
    });
  });

  it("heals all in an order that works", async ({ expect }) => {
    expect(await pressKeys("9a97h", healed("health-not-serving"))).toEqual({
      exit: 0,
      said: [
        "broken: orders declares itself NOT_SERVING (health-not-serving)",
        "broken: the event loop of orders is blocked (app-frozen)",
        "the event loop of orders is blocked: a or h heals that first",
        "the event loop of orders is blocked: a or h heals that first",
        healed("app-frozen"),
        healed("health-not-serving"),
        "",
      ],
    });
  });

  it("lets one fault take another's place", async ({ expect }) => {
    expect(await pressKeys("5612128h", healed("stream-exhaustion"))).toEqual({
      exit: 0,
      said: [
        "broken: inventory moves to another address, orders stays connected to the old one (dns-stale)",
        "broken: the name of inventory is gone from DNS (dns-failing)",
        "        dns-stale (key 5) ends with that",
        "broken: payments gets a certificate for another name (tls-san-mismatch)",
        "broken: the certificate of payments expires (tls-cert-expired)",
        "        tls-san-mismatch (key 1) ends with that",
        "broken: payments gets a certificate for another name (tls-san-mismatch)",
        "        tls-cert-expired (key 2) ends with that",
        "broken: the certificate of payments expires (tls-cert-expired)",
        "        tls-san-mismatch (key 1) ends with that",
        "broken: a caller holds as many streams as its connection may carry (stream-exhaustion)",
        healed("dns-failing"),
        healed("tls-cert-expired"),
        healed("stream-exhaustion"),
        "",
      ],
    });
  });

  it("says which keys there are", async ({ expect }) => {
    const line = "no such key: 1 to 9 and a to c break and heal, h heals all, q ends";
    expect(await pressKeys("x", line)).toEqual({ exit: 0, said: [line, ""] });
  });
});

it("ends quietly where Ctrl-C comes before the world is up", async () => {
  // A group of its own, as a shell gives it to a command; Ctrl-C reaches all who are in it.
  const demo = spawn(process.execPath, [BUILT.file, "demo", "--fault", "dns-stale"], {
    detached: true,
  });
  const { pid = 0 } = demo;
  const said = { text: "" };
  for (const stream of [demo.stdout, demo.stderr])
    stream.on("data", (chunk) => {
      said.text += chunk;
    });
  await expect
    .poll(() => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"), { timeout: 60_000 })
    .not.toBe("");
  process.kill(-pid, "SIGINT");
  const [exit] = await once(demo, "close");
  expect({ exit, said: said.text }).toEqual({ exit: 0, said: "" });
});

describe.concurrent("demo --fault", () => {
  const BROKEN = "broken: payments gets a certificate for another name (tls-san-mismatch)";
  const HEALED =
    "healed: tls-san-mismatch is resolved once it was absent for its clearAfter, a minute or more, 420 s at most";

  it("breaks and heals, and exits 0 once the alert is resolved", async ({ expect }) => {
    expect(await play("tls-san-mismatch", { broken: "opened", healed: "resolved" })).toEqual({
      exit: 0,
      said: [BROKEN, HEALED, ""],
    });
  });

  it("exits 1 when no alert comes", async ({ expect }) => {
    expect(await play("tls-san-mismatch", {})).toEqual({
      exit: 1,
      said: [BROKEN, "tls-san-mismatch was not opened within 180 s", ""],
    });
  });

  const OVERLOADED =
    "tls-san-mismatch was not opened within 180 s: agent-overloaded is active, since this machine has too little processor time; nothing is judged by timing meanwhile";

  it.for([
    [["opened", "escalated"], OVERLOADED],
    [["opened", "resolved"], "tls-san-mismatch was not opened within 180 s"],
  ] as const)(
    "says why no alert comes after overload was %s",
    async ([overload, told], { expect }) => {
      const { said } = await play("tls-san-mismatch", { overload });
      expect(said).toEqual([BROKEN, told, ""]);
    },
  );

  it("exits 1 when the alert is not resolved", async ({ expect }) => {
    expect(await play("tls-san-mismatch", { broken: "opened" })).toEqual({
      exit: 1,
      said: [BROKEN, HEALED, "tls-san-mismatch was not resolved within 420 s", ""],
    });
  });
});

it("plays a fault from alert to resolved, with the built program", async () => {
  const [listen, admin] = await twoFreePorts();
  const places = ["--listen", `127.0.0.1:${listen}`, "--admin", `127.0.0.1:${admin}`];
  const line = [BUILT.file, "demo", "--fault", "tls-san-mismatch", ...places];
  const ended = await new Promise<Played>((resolve) => {
    const child = execFile(process.execPath, line, (_error, stdout, stderr) =>
      resolve({ exit: child.exitCode, stdout, stderr }),
    );
  });
  const alerts = ended.stdout.match(/(?:OPENED|ESCALATED|RESOLVED) \w+ \S+ on payments/g);
  expect({ exit: ended.exit, alerts }).toEqual({
    exit: 0,
    alerts: [
      "OPENED critical tls-san-mismatch on payments",
      "RESOLVED critical tls-san-mismatch on payments",
    ],
  });
  expect(ended.stdout).toContain(
    "The certificate does not cover payments.demo.svc; it is for billing.demo.svc\n",
  );
  expect(ended.stderr).toContain(
    "broken: payments gets a certificate for another name (tls-san-mismatch)\nhealed: ",
  );
});

it("says where the world is, before it breaks", async () => {
  const runAgent = async () => undefined;
  const outcome = await runLine(
    "demo --fault dns-stale --listen 127.0.0.1:1 --admin 127.0.0.1:2",
    BUILT,
    { runAgent, detectors },
  );
  expect(outcome).toEqual({
    exit: 0,
    stdout: "",
    stderr: expect.stringMatching(
      /^watched: {2}orders \(.*\), payments \(.*\), inventory \(dns:.*\)\nmetrics: {2}http:\/\/127\.0\.0\.1:1\/metrics\nfindings: http:\/\/127\.0\.0\.1:2\/findings\n/,
    ),
  });
});

it.each([
  ["demo", "without a terminal there are no keys: --fault takes tls-san-mismatch, "],
  ["demo --fault tls-san", "--fault takes tls-san-mismatch, "],
  ["demo --listen x", "--listen takes :port"],
])("refuses %s", async (line, message) => {
  const { exit, stderr } = await runLine(line);
  expect(exit).toBe(2);
  expect(stderr.startsWith(`grpc-doctor demo: ${message}`)).toBe(true);
});
