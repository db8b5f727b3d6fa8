import { CallError } from "../grpc/call-error.ts";
import { connectOnce } from "../grpc/connect-once.ts";
import type { Connection } from "../grpc/transport.ts";
import type { Target } from "../model/target.ts";
import type { Call } from "./command.ts";
import { EXIT } from "./exit.ts";
import { faultSentence } from "./report/fault-text.ts";
import { maxTimeMs, targetFromFlags } from "./target-from-flags.ts";

/** What a command does with its connection; it throws `CallError` where the server fails it. */
export type Talk = (
  connection: Connection,
  limits: { readonly signal: AbortSignal; readonly target: Target },
) => Promise<number>;

/**
 * Opens the connection that grpcurl's flags describe, talks, and closes it. A failure is told as a
 * diagnosis (phase, reason, what the server said) and exits 1.
 */
export async function withConnection(call: Call, talk: Talk): Promise<number> {
  const { program, given } = call;
  const target = targetFromFlags(given.positionals[0] ?? given.texts["target"] ?? "", given);
  const signal = program.clock.deadline(maxTimeMs(given), program.signal);
  const isVerified = !given.switches.has("insecure");
  try {
    const connection = await connectOnce(target, { clock: program.clock, signal, isVerified });
    try {
      return await talk(connection, { signal, target });
    } finally {
      connection.close();
      await connection.ended;
    }
  } catch (thrown) {
    if (!(thrown instanceof CallError)) throw thrown;
    program.stderr.write(`${target.address}: ${faultSentence(thrown)}\n`);
    program.stderr.write(`For the whole diagnosis: grpc-doctor check ${target.address}\n`);
    return EXIT.found;
  }
}
