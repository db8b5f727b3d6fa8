import { loadSettings } from "../../config/load.ts";
import { FAULTS, type Fault } from "../../demo/faults.ts";
import { startWorld, type World } from "../../demo/world.ts";
import type { FindingChange } from "../../model/finding.ts";
import { nearest } from "../../model/nearest.ts";
import type { Settings } from "../../model/settings.ts";
import { hostPort } from "../../model/target.ts";
import { aborted } from "../aborted.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { listenFlag } from "../listen-flag.ts";
import type { Program } from "../program.ts";

/** The agent sees a healthy world for this long, before `--fault` breaks it. */
const HEALTHY_MS = 10_000;
/** What is broken stays broken for this long after its alert. */
const SICK_MS = 3_000;
const ALERT_MS = 180_000;
/** The longest `clearAfter` of the twelve, and what a busy machine adds. */
const RESOLVED_MS = 420_000;

/** A sample order service with steady traffic, the agent beside it, and twelve real faults. */
export async function run(call: Call): Promise<number> {
  const { program, given } = call;
  const fault = faultNamed(given.texts["fault"]);
  const listeners = listenersOf(call);
  const world = await startWorld({
    entry: { file: program.file, arguments: ["demo-actor"] },
    protoDirectory: program.protoDirectory,
    now: program.clock.now(),
  });
  // Ended by a signal, by the key q, when the fault is over, or with the agent.
  const ending = new AbortController();
  const signal = AbortSignal.any([program.signal, ending.signal]);
  const audience = createAudience();
  try {
    const settings = { ...(await settingsOf(call, world)), ...listeners };
    tellPlaces(call, settings);
    const environment = { ...program.environment, POD_IP: world.podAddress };
    const stagehand = { ...program, environment, signal };
    const agent = call.tools.runAgent(stagehand, { settings, heard: audience.heard });
    const stage =
      fault === undefined
        ? followKeys(call, world, signal)
        : breakAndHeal(call, { world, fault, signal, audience });
    const exit = await Promise.race([agent.then(() => EXIT.fine), stage]);
    ending.abort("quit");
    await agent;
    return exit;
  } finally {
    ending.abort("quit");
    await world.close();
  }
}

type Listeners = Pick<Settings, "listen" | "admin">;

/** Loopback, unless said otherwise: a spectacle is nobody else's. */
function listenersOf({ given: { texts } }: Call): Listeners {
  return {
    listen: listenFlag("listen", texts["listen"]) ?? { host: "127.0.0.1", port: 19_464 },
    admin: listenFlag("admin", texts["admin"]) ?? { host: "127.0.0.1", port: 19_465 },
  };
}

async function settingsOf({ tools }: Call, world: World): Promise<Settings> {
  const settings = loadSettings({
    text: world.configuration,
    file: "demo.yaml",
    environment: {},
    detectors: await tools.detectors(),
    fileExists: () => true,
    readFile: () => "{}",
  });
  return {
    ...settings,
    log: { level: "info", format: "text" },
  };
}

function tellPlaces({ program }: Call, { listen, admin, targets }: Settings): void {
  const watched = targets.map(({ name, address }) => `${name} (${address})`).join(", ");
  const url = (host: string | undefined, port: number) =>
    `http://${hostPort(host ?? "127.0.0.1", port)}`;
  program.stderr.write(
    [
      `watched:  ${watched}`,
      `metrics:  ${url(listen.host, listen.port)}/metrics`,
      `findings: ${url(admin.host, admin.port)}/findings`,
      "The holds of some codes are shortened in this demo's configuration.",
      "",
    ].join("\n"),
  );
}

/** A row for each key: what it does, and the finding that should name it. */
function menu(): string {
  const width = Math.max(...FAULTS.map(({ code }) => code.length));
  const rows = FAULTS.map(({ key, code, title }) => `  ${key}  ${code.padEnd(width)}  ${title}`);
  return [
    "A key breaks the service, and heals it when pressed again:",
    ...rows,
    HEAL_AND_END,
    "",
  ].join("\n");
}

const HEAL_AND_END = "  h  heals all; q ends";

/** A key breaks the world in its way, and heals it when pressed again. Resolves at q or the end. */
async function followKeys({ program }: Call, world: World, signal: AbortSignal): Promise<number> {
  const broken = new Set<Fault>();
  const heal = async (fault: Fault) => {
    broken.delete(fault);
    program.stderr.write(healedText(fault));
    await world.heal(fault);
  };
  if (program.keys === undefined) await aborted(signal);
  else program.stderr.write(menu());
  for await (const key of program.keys?.(signal) ?? []) {
    if (key === "q") break;
    const meant = FAULTS.filter((one) => one.key === key || (key === "h" && broken.has(one)));
    for (const fault of meant) {
      if (broken.has(fault)) {
        await heal(fault);
        continue;
      }
      broken.add(fault);
      program.stderr.write(`broken: ${fault.title} (${fault.code})\n`);
      await world.break(fault);
    }
  }
  return EXIT.fine;
}

function healedText({ code }: Fault): string {
  return `healed: ${code} is resolved once it was absent for its clearAfter, a minute or more\n`;
}

interface Play {
  readonly world: World;
  readonly fault: Fault;
  readonly signal: AbortSignal;
  readonly audience: Audience;
}

/**
 * Breaks the world once it was seen healthy, waits for the alert, heals, and waits until it is
 * resolved. 1 when the alert, or its end, did not come.
 */
async function breakAndHeal({ program }: Call, play: Play): Promise<number> {
  const { world, fault, signal } = play;
  const { clock, stderr } = program;
  try {
    await clock.sleep(HEALTHY_MS, signal);
    stderr.write(`broken: ${fault.title} (${fault.code})\n`);
    const opened = awaitTransition(program, play, { transition: "opened", withinMs: ALERT_MS });
    await world.break(fault);
    if (!(await opened)) return EXIT.found;
    await clock.sleep(SICK_MS, signal);
    stderr.write(healedText(fault));
    const end = { transition: "resolved", withinMs: RESOLVED_MS } as const;
    const resolved = awaitTransition(program, play, end);
    await world.heal(fault);
    return (await resolved) ? EXIT.fine : EXIT.found;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    return EXIT.fine;
  }
}

/** Listens from now on, since an alert can be faster than the fault's own making. */
async function awaitTransition(
  { clock, stderr }: Program,
  { audience, fault: { code }, signal }: Play,
  { transition, withinMs }: Pick<FindingChange, "transition"> & { readonly withinMs: number },
): Promise<boolean> {
  const isSeen = await audience.sees(transition, code, clock.deadline(withinMs, signal));
  if (!isSeen && !signal.aborted)
    stderr.write(`${code} was not ${transition} within ${withinMs / 1000} s\n`);
  return isSeen || signal.aborted;
}

/** Those who wait for a transition. */
interface Audience {
  readonly heard: (change: FindingChange) => void;
  /** False where the signal comes first. */
  sees(
    transition: FindingChange["transition"],
    code: string,
    signal: AbortSignal,
  ): Promise<boolean>;
}

function createAudience(): Audience {
  const waiting = new Set<(change: FindingChange) => void>();
  return {
    heard: (change) => {
      for (const hear of waiting) hear(change);
    },
    sees: (transition, code, signal) =>
      new Promise((resolve) => {
        const hear = (change: FindingChange) => {
          if (change.transition !== transition || change.finding.code !== code) return;
          waiting.delete(hear);
          resolve(true);
        };
        waiting.add(hear);
        signal.addEventListener("abort", () => resolve(false), { once: true });
      }),
  };
}

function faultNamed(code: string | undefined): Fault | undefined {
  const found = FAULTS.find((fault) => fault.code === code);
  if (code === undefined || found !== undefined) return found;
  const codes = FAULTS.map((fault) => fault.code);
  const meant = nearest(code, codes);
  throw new UsageError(
    `--fault takes ${codes.join(", ")}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`,
  );
}
