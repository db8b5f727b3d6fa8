import { loadSettings } from "../../config/load.ts";
import { nearest } from "../../config/nearest.ts";
import { FAULTS, type Fault } from "../../demo/faults.ts";
import { startWorld, type World } from "../../demo/world.ts";
import type { Settings } from "../../model/settings.ts";
import { hostPort } from "../../model/target.ts";
import { aborted } from "../aborted.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";

/** The agent sees a healthy world for this long, before `--fault` breaks it. */
const HEALTHY_MS = 10_000;

/** A sample order service with steady traffic, the agent beside it, and twelve real faults. */
export async function run(call: Call): Promise<number> {
  const { program, given } = call;
  const fault = faultNamed(given.texts["fault"]);
  const world = await startWorld({
    entry: { file: program.file, arguments: ["demo-actor"] },
    protoDirectory: program.protoDirectory,
    now: program.clock.now(),
  });
  // Ended by a signal, by the key q, or with the agent.
  const ending = new AbortController();
  const signal = AbortSignal.any([program.signal, ending.signal]);
  try {
    const settings = await settingsOf(call, world);
    tellPlaces(call, settings);
    const environment = { ...program.environment, POD_IP: world.podAddress };
    const agent = call.tools.runAgent({ ...program, environment, signal }, { settings });
    const stage =
      fault === undefined
        ? followKeys(call, world, signal)
        : breakLater(call, { world, fault, signal });
    await Promise.race([agent, stage.then(() => ending.abort("quit"))]);
    await agent;
    return EXIT.fine;
  } finally {
    ending.abort("quit");
    await world.close();
  }
}

async function settingsOf({ program, tools }: Call, world: World): Promise<Settings> {
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
    log: { level: "info", format: program.isTerminal.stdout ? "text" : "json" },
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
      ...(program.keys === undefined ? [] : [`break or heal: ${menu()}, q ends`]),
      "",
    ].join("\n"),
  );
}

function menu(): string {
  return FAULTS.map(({ key, code }) => `${key} ${code}`).join(", ");
}

/** A key breaks the world in its way, and heals it when pressed again. Resolves at q or the end. */
async function followKeys({ program }: Call, world: World, signal: AbortSignal): Promise<void> {
  const broken = new Set<string>();
  if (program.keys === undefined) return aborted(signal);
  for await (const key of program.keys(signal)) {
    if (key === "q") return;
    const fault = FAULTS.find((one) => one.key === key);
    if (fault === undefined) continue;
    const isHealing = broken.delete(fault.code);
    if (!isHealing) broken.add(fault.code);
    program.stderr.write(`${isHealing ? "healed" : "broken"}: ${fault.title}\n`);
    await (isHealing ? world.heal(fault) : world.break(fault));
  }
}

interface Breaking {
  readonly world: World;
  readonly fault: Fault;
  readonly signal: AbortSignal;
}

/** Breaks the world once, after it was seen healthy; resolves at the end. */
async function breakLater({ program }: Call, { world, fault, signal }: Breaking): Promise<void> {
  // An end before that time breaks nothing.
  await program.clock.sleep(HEALTHY_MS, signal).catch(() => undefined);
  if (signal.aborted) return;
  program.stderr.write(`broken: ${fault.title}\n`);
  await world.break(fault);
  await aborted(signal);
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
