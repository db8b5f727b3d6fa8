import { nearest } from "../../config/nearest.ts";
import { askAgent, tellAdminError } from "../admin-client.ts";
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
    const { status, body } = await askAgent(call, {
      method: "POST",
      path: `/-/drill?${query.toString()}`,
    });
    if (status >= 200 && status < 300) {
      program.stderr.write(`${code} is raised as a drill; it resolves by itself.\n`);
      return EXIT.fine;
    }
    program.stderr.write(
      `grpc-doctor: the agent refused (HTTP ${status}): ${body.split("\n")[0]?.slice(0, 200)}\n`,
    );
  } catch (thrown) {
    tellAdminError(call, thrown);
  }
  return EXIT.found;
}
