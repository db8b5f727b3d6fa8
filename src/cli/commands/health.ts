import { CallError } from "../../grpc/call-error.ts";
import { connectOnce } from "../../grpc/connect-once.ts";
import { checkHealth } from "../../grpc/health.ts";
import type { Connection } from "../../grpc/transport.ts";
import type { Target } from "../../model/target.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
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
  if (given.switches.has("version")) {
    program.stdout.write(`grpc-doctor ${program.version}\n`);
    return EXIT.fine;
  }
  const question = healthQuestion(given, program.environment);
  const startedMs = program.clock.monotonicMs();
  const connection = await connect(call, question).catch((thrown: unknown) => {
    const error = CallError.from(thrown, "tcp");
    if (error.fault.reason === "credentials") throw unreadable(question.target, error);
    tell(call, `no connection to ${question.target.address}`, error);
    return undefined;
  });
  if (connection === undefined) return NO_CONNECTION;
  try {
    if (question.isVerbose) tellTime(call, "connected", startedMs);
    return await ask(call, connection, question);
  } finally {
    connection.close();
    await connection.ended;
  }
}

/** Short enough to be there soon after the server is, long enough to be no burden. */
const AGAIN_MS = 100;

/**
 * A server that is not there yet is waited for, as grpc_health_probe waits, for as long as
 * -connect-timeout allows. One that is there and is no use is told at once.
 */
async function connect(
  { program }: Call,
  { target, connectMs, isVerified }: HealthQuestion,
): Promise<Connection> {
  const { clock } = program;
  const signal = clock.deadline(connectMs, program.signal);
  for (;;) {
    try {
      return await connectOnce(target, { clock, signal, isVerified, isAlpnNeeded: true });
    } catch (thrown) {
      const { phase } = CallError.from(thrown, "tcp").fault;
      const isAbsent = phase === "dns" || phase === "tcp";
      const isOver = !isAbsent || (await clock.sleep(AGAIN_MS, signal).then(no, yes));
      if (isOver) throw thrown;
    }
  }
}

const yes = () => true;
const no = () => false;

/** A file of the command line is wrong, and so the call of us. */
function unreadable({ tls }: Target, { fault }: CallError): UsageError {
  const files = tls?.mode === "tls" ? [tls.ca, tls.cert, tls.key] : [];
  const named = files.filter((file) => file !== undefined).join(", ");
  return new UsageError(`cannot use ${named} (${fault.errno ?? fault.statusText ?? "no PEM"})`);
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
