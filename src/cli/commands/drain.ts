import { askAgent, orderAnswer, tellAdminError } from "../admin-client.ts";
import type { Call } from "../command.ts";
import { EXIT } from "../exit.ts";

/**
 * Tells a running agent that the app is going down on purpose. In a preStop hook nothing may fail
 * the stop of the pod for our sake, but the caller decides: without an agent the exit code is 1.
 */
export async function run(call: Call): Promise<number> {
  try {
    const { taken, text } = orderAnswer(await askAgent(call, { method: "POST", path: "/-/drain" }));
    const { stdout, stderr } = call.program;
    if (taken) {
      stdout.write(`${text}\n`);
      return EXIT.fine;
    }
    stderr.write(`grpc-doctor: the agent refused: ${text}\n`);
  } catch (thrown) {
    tellAdminError(call, thrown);
  }
  return EXIT.found;
}
