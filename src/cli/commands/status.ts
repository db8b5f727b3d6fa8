import { askAgent, tellAdminError } from "../admin-client.ts";
import type { Call } from "../command.ts";
import { EXIT } from "../exit.ts";
import { exitFor, parseFailOn, parseOutput } from "../fail-on.ts";
import { paintFor } from "../report/paint.ts";
import { type StatusDocument, statusReport } from "../report/status-report.ts";

/** Asks a running agent for its findings, and shows them as a person reads them. */
export async function run(call: Call): Promise<number> {
  const { program, given } = call;
  const failOn = parseFailOn(given.texts["fail-on"]);
  const output = parseOutput(given.texts["output"]);
  try {
    const { status, body } = await askAgent(call, { method: "GET", path: "/findings" });
    const document = status === 200 ? parseDocument(body) : undefined;
    if (document === undefined) {
      program.stderr.write(`grpc-doctor: what answered is no agent (HTTP ${status})\n`);
      return EXIT.found;
    }
    const paint = paintFor(program, "stdout");
    program.stdout.write(
      output === "json" ? `${JSON.stringify(document, null, 2)}\n` : statusReport(document, paint),
    );
    return exitFor(document.active, failOn);
  } catch (thrown) {
    tellAdminError(call, thrown);
    return EXIT.found;
  }
}

/** The document of an agent of this line; anything else is `undefined`. */
function parseDocument(body: string): StatusDocument | undefined {
  try {
    const document = JSON.parse(body) as Partial<StatusDocument> | null;
    const lists = [document?.active, document?.pending, document?.recent, document?.suppressed];
    const isOurs =
      document?.schema === "grpc-doctor/v1" && lists.every((list) => Array.isArray(list));
    return isOurs ? (document as StatusDocument) : undefined;
  } catch {
    // No JSON: something else listens there.
    return undefined;
  }
}
