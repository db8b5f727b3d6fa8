import process from "node:process";
import { GALLERIES, type GalleryName } from "./cases/index.ts";
import type { Watched } from "./hostile-case.ts";

/**
 * A process of its own for hostile servers, as those that flood take a processor: starts the named ones
 * of a gallery, and says in one line of JSON what there is to watch.
 */
const [gallery = "", ...names] = process.argv.slice(2);
const cases = Object.entries(GALLERIES[gallery as GalleryName]);
const watched = await Promise.all(
  cases
    .filter(([name]) => names.includes(name))
    .map(async ([name, start]): Promise<[string, Watched]> => [name, await start()]),
);
process.stdout.write(`${JSON.stringify(Object.fromEntries(watched))}\n`);
// Whoever started it has gone.
process.stdin.once("end", () => process.exit());
process.stdin.resume();
