import { nearest } from "../../model/nearest.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";

/** What the page says of itself to programs: the code, its title and layer. */
const FRONT_MATTER = /^---\n.*?\n---\n+/s;

/** Prints the page of a code: its five headings, as the documentation has them. */
export async function run({ program, tools, given }: Call): Promise<number> {
  const code = given.positionals[0] ?? "";
  const codes = (await tools.detectors()).map((detector) => detector.code);
  if (!codes.includes(code)) {
    const meant = nearest(code, codes);
    const hint =
      meant === undefined ? "; grpc-doctor codes lists them" : ` (did you mean ${meant}?)`;
    throw new UsageError(`${JSON.stringify(code)} is no code${hint}`);
  }
  const page = await program.readPage(code);
  if (page === undefined) throw new Error(`the build has no page of ${code}`);
  const text = page.replace(FRONT_MATTER, "");
  program.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return EXIT.fine;
}
