import { endedBy, inOrderOfHealing, obstacleTo } from "../demo/broken.ts";
import { FAULTS, type Fault } from "../demo/faults.ts";
import type { World } from "../demo/world.ts";
import { EXIT } from "./exit.ts";
import type { Program } from "./program.ts";

interface Stage {
  readonly world: Pick<World, "break" | "heal">;
  readonly signal: AbortSignal;
}

/**
 * A key of the demo breaks the world in its way, and heals it when pressed again. Keys are taken one
 * after the other, but for `q`, which waits for nothing. Resolves at `q` or at the signal.
 */
export async function followKeys(
  { stderr, keys }: Pick<Program, "stderr" | "keys">,
  { world, signal }: Stage,
): Promise<number> {
  stderr.write(menu());
  const tell = (line: string) => stderr.write(`${line}\n`);
  const hand = createHand({ world, tell });
  let done = Promise.resolve();
  const press = async (key: string) => {
    try {
      if (!signal.aborted) await hand(key);
    } catch (thrown) {
      const { message } = thrown as Error;
      if (!signal.aborted) tell(`key ${key}: this did not work (${message})`);
    }
  };
  for await (const key of keys?.(signal) ?? []) {
    if (key === "q") break;
    done = done.then(() => press(key));
  }
  return EXIT.fine;
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

interface Means {
  readonly world: Stage["world"];
  readonly tell: (line: string) => void;
}

/** Does what a key says, and keeps in mind what is broken. */
function createHand({ world, tell }: Means): (key: string) => Promise<void> {
  const broken = new Set<Fault>();

  async function breakWith(fault: Fault): Promise<void> {
    tell(brokenText(fault));
    for (const ended of endedBy(fault, broken)) {
      broken.delete(ended);
      tell(`        ${ended.code} (key ${ended.key}) ends with that`);
    }
    broken.add(fault);
    await world.break(fault);
  }

  async function heal(fault: Fault): Promise<void> {
    await world.heal(fault);
    broken.delete(fault);
    tell(healedText(fault));
  }

  return async (key) => {
    const fault = FAULTS.find((one) => one.key === key);
    if (key === "h") {
      for (const one of inOrderOfHealing(broken)) await heal(one);
      return;
    }
    if (fault === undefined) {
      tell("no such key: 1 to 9 and a to c break and heal, h heals all, q ends");
      return;
    }
    const obstacle = obstacleTo(fault, broken);
    if (obstacle !== undefined) tell(`${obstacle.title}: ${obstacle.key} or h heals that first`);
    else await (broken.has(fault) ? heal : breakWith)(fault);
  };
}

/** What is broken now, and the finding that should name it. */
export function brokenText({ title, code }: Fault): string {
  return `broken: ${title} (${code})`;
}

/** What was healed, and when its finding goes. */
export function healedText({ code }: Fault): string {
  return `healed: ${code} is resolved once it was absent for its clearAfter, a minute or more`;
}
