import { CallError } from "../../grpc/call-error.ts";
import { connectOnce } from "../../grpc/connect-once.ts";
import { checkHealth } from "../../grpc/health.ts";
import type { Connection } from "../../grpc/transport.ts";
import type { Call } from "../command.ts";
import { type HealthQuestion, healthQuestion } from "../health-question.ts";
import { faultSentence } from "../report/fault-text.ts";
import { numberText } from "../report/lines.ts";

/** grpc_health_probe's exit codes: 0 SERVING, 1 arguments, then these. */
const NO_CONNECTION = 2;
const RPC_FAILED = 3;
const NOT_SERVING = 4;

/** Asks for the health of one service, once: a stand-in for grpc_health_probe. */
export async function run(call: Call): Promise<number> {
  const { program, given } = call;
  const question = healthQuestion(given, program.environment);
  const { target, connectMs, isVerified } = question;
  const signal = program.clock.deadline(connectMs, program.signal);
  const startedMs = program.clock.monotonicMs();
  const connection = await connectOnce(target, { clock: program.clock, signal, isVerified }).catch(
    (thrown: unknown) => {
      tell(call, `no connection to ${target.address}`, thrown);
      return undefined;
    },
  );
  if (connection === undefined) return NO_CONNECTION;
  try {
    if (question.isVerbose) tellTime(call, "connected", startedMs);
    return await ask(call, connection, question);
  } finally {
    connection.close();
    await connection.ended;
  }
}

async function ask(
  call: Call,
  connection: Connection,
  { service, rpcMs, isVerbose }: HealthQuestion,
): Promise<number> {
  const { program } = call;
  const startedMs = program.clock.monotonicMs();
  const signal = program.clock.deadline(rpcMs, program.signal);
  try {
    const status = await checkHealth(connection, service, { signal, timeoutMs: rpcMs });
    if (isVerbose) tellTime(call, "answered", startedMs);
    program.stdout.write(`status: ${status}\n`);
    return status === "SERVING" ? 0 : NOT_SERVING;
  } catch (thrown) {
    tell(call, "health rpc failed", thrown);
    return RPC_FAILED;
  }
}

function tell({ program }: Call, what: string, thrown: unknown): void {
  program.stderr.write(`error: ${what}: ${faultSentence(CallError.from(thrown, "rpc"))}\n`);
}

function tellTime({ program }: Call, what: string, startedMs: number): void {
  program.stderr.write(`${what} in ${numberText(program.clock.monotonicMs() - startedMs)} ms\n`);
}
