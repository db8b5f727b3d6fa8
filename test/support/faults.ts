import { CallError, type CallFault } from "../../src/grpc/call-error.ts";

/** What a promise of ours fails with, without its cause. */
export async function faultOf(work: Promise<unknown>): Promise<Omit<CallFault, "cause">> {
  const thrown = await work.then(
    () => new Error("it did not fail"),
    (error: unknown) => error,
  );
  if (!(thrown instanceof CallError)) throw thrown;
  const { cause: _cause, ...fault } = thrown.fault;
  return fault;
}
