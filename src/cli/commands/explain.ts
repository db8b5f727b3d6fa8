import { nearest } from "../../config/nearest.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";

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
  program.stdout.write(page.endsWith("\n") ? page : `${page}\n`);
  return EXIT.fine;
}
