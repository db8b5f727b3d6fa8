import { loadSettings } from "../../config/load.ts";
import { FAULTS, type Fault } from "../../demo/faults.ts";
import { startWorld, type World } from "../../demo/world.ts";
import type { FindingChange } from "../../model/finding.ts";
import { nearest } from "../../model/nearest.ts";
import type { Settings } from "../../model/settings.ts";
import { hostPort } from "../../model/target.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { brokenText, followKeys, healedText } from "../follow-keys.ts";
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
  if (fault === undefined && program.keys === undefined)
    throw new UsageError(`without a terminal there are no keys: ${faultTakes()}`);
  const world = await worldOf(program);
  if (world === undefined) return EXIT.fine;
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
        ? followKeys(program, { world, signal })
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

/** `undefined`: a signal came before it was up. */
async function worldOf({ file, protoDirectory, clock, signal }: Program) {
  try {
    const entry = { file, arguments: ["demo-actor"] };
    return await startWorld({ entry, protoDirectory, now: clock.now(), signal });
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    return undefined;
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
    stderr.write(`${brokenText(fault)}\n`);
    const opened = awaitTransition(program, play, { transition: "opened", withinMs: ALERT_MS });
    await world.break(fault);
    if (!(await opened)) return EXIT.found;
    await clock.sleep(SICK_MS, signal);
    stderr.write(`${healedText(fault)}, ${RESOLVED_MS / 1000} s at most\n`);
    const end = { transition: "resolved", withinMs: RESOLVED_MS } as const;
    const resolved = awaitTransition(program, play, end);
    await world.heal(fault);
    return (await resolved) ? EXIT.fine : EXIT.found;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    return EXIT.fine;
  }
}

const OVERLOADED =
  ": agent-overloaded is active, since this machine has too little processor time; nothing is judged by timing meanwhile";

/** Listens from now on, since an alert can be faster than the fault's own making. */
async function awaitTransition(
  { clock, stderr }: Program,
  { audience, fault: { code }, signal }: Play,
  { transition, withinMs }: Pick<FindingChange, "transition"> & { readonly withinMs: number },
): Promise<boolean> {
  const isSeen = await audience.sees(transition, code, clock.deadline(withinMs, signal));
  if (!isSeen && !signal.aborted) {
    const why = audience.isOverloaded() ? OVERLOADED : "";
    stderr.write(`${code} was not ${transition} within ${withinMs / 1000} s${why}\n`);
  }
  return isSeen || signal.aborted;
}

/** Those who wait for a transition. */
interface Audience {
  readonly heard: (change: FindingChange) => void;
  /** Whether the agent trusts its own timing no more. */
  readonly isOverloaded: () => boolean;
  /** False where the signal comes first. */
  sees(
    transition: FindingChange["transition"],
    code: string,
    signal: AbortSignal,
  ): Promise<boolean>;
}

function createAudience(): Audience {
  const waiting = new Set<(change: FindingChange) => void>();
  let isOverloaded = false;
  return {
    isOverloaded: () => isOverloaded,
    heard: (change) => {
      if (change.finding.code === "agent-overloaded")
        isOverloaded = change.transition !== "resolved";
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
  const meant = nearest(code, CODES);
  throw new UsageError(`${faultTakes()}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`);
}

const CODES = FAULTS.map((fault) => fault.code);

function faultTakes(): string {
  return `--fault takes ${CODES.join(", ")}`;
}
