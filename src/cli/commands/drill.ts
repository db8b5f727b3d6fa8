import { nearest } from "../../model/nearest.ts";
import { askAgent, orderAnswer, tellAdminError } from "../admin-client.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";

/** Asks a running agent to raise one marked, false finding. */
export async function run(call: Call): Promise<number> {
  const { program, tools, given } = call;
  const code = given.positionals[0] ?? "";
  const codes = (await tools.detectors()).map((detector) => detector.code);
  if (!codes.includes(code)) {
    const meant = nearest(code, codes);
    throw new UsageError(
      `${JSON.stringify(code)} is no code${meant === undefined ? "" : ` (did you mean ${meant}?)`}`,
    );
  }
  const target = given.texts["target"];
  const query = new URLSearchParams({ code, ...(target === undefined ? {} : { target }) });
  try {
    const path = `/-/drill?${query.toString()}`;
    const { taken, text } = orderAnswer(await askAgent(call, { method: "POST", path }));
    program.stderr.write(taken ? `${text}\n` : `grpc-doctor: the agent refused: ${text}\n`);
    return taken ? EXIT.fine : EXIT.found;
  } catch (thrown) {
    tellAdminError(call, thrown);
    return EXIT.found;
  }
}
