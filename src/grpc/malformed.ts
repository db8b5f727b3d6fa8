import { CallError } from "./call-error.ts";

/** What is read, or a `CallError` with `malformed_reply` in place of what the reading throws. */
export function malformedOr<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw new CallError({ phase: "rpc", reason: "malformed_reply", cause: thrown });
  }
}
