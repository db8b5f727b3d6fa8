import { CallError } from "../grpc/call-error.ts";
import { connectOnce } from "../grpc/connect-once.ts";
import type { Connection } from "../grpc/transport.ts";
import type { Target } from "../model/target.ts";
import type { Call } from "./command.ts";
import { EXIT, UsageError } from "./exit.ts";
import { refuseUnusableFiles } from "./files-on-the-line.ts";
import { faultSentence } from "./report/fault-text.ts";
import { maxTimeMs, targetFromFlags } from "./target-from-flags.ts";

/** What a command does with its connection; it throws `CallError` where the server fails it. */
export type Talk = (
  connection: Connection,
  limits: { readonly signal: AbortSignal; readonly target: Target },
) => Promise<number>;

/** The service that a command asks for, and what to do where the server does not have it. */
export interface Asked {
  readonly service: string;
  readonly fix: string;
}

/**
 * Opens the connection that grpcurl's flags describe, talks, and closes it. A failure is told as a
 * diagnosis (phase, reason, what the server said) and exits 1.
 */
export async function withConnection(call: Call, asked: Asked, talk: Talk): Promise<number> {
  const { program, given } = call;
  const address = given.positionals[0] ?? given.texts["target"];
  if (address === undefined) throw new UsageError("ADDR is missing");
  const target = targetFromFlags(address, given);
  await refuseUnusableFiles(given, target);
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
    program.stderr.write(`${target.address}: ${failureText(thrown, target, asked)}\n`);
    return EXIT.found;
  }
}

function failureText(error: CallError, { address }: Target, { service, fix }: Asked): string {
  if (error.fault.phase === "rpc" && error.fault.status === "UNIMPLEMENTED")
    return `${service} is not served\n→ ${fix}`;
  return `${faultSentence(error)}\nFor the whole diagnosis: grpc-doctor check ${address}`;
}
