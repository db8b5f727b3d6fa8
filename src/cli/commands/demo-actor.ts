import { runActor } from "../../demo/actor.ts";
import { aborted } from "../aborted.ts";
import type { Call } from "../command.ts";
import { EXIT } from "../exit.ts";

/** A process of the demo's world: does what its parent says, and ends with it. */
export async function run({ program }: Call): Promise<number> {
  runActor();
  await aborted(program.signal);
  return EXIT.fine;
}
