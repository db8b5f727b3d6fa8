import { describe, expect, test } from "vitest";
import { CallError } from "../../src/grpc/call-error.ts";
import { percentDecode, statusOfHttp, statusOfReset } from "../../src/grpc/reply.ts";

const failed = (code: string) => Object.assign(new Error("any text"), { code });

describe("an error", () => {
  test.each([
    ["ECONNREFUSED", "refused"],
    ["ENOENT", "refused"],
    ["EHOSTUNREACH", "no_route"],
    ["ETIMEDOUT", "connection_timed_out"],
    ["ECONNRESET", "connection_reset"],
    ["EPIPE", "connection_reset"],
    ["ENOTFOUND", "nxdomain"],
    ["EBADF", "socket_error"],
    // Of what we are short, no server is to blame.
    ["EMFILE", "agent"],
    ["ENOBUFS", "agent"],
  ])("of the system, %s, is %s and keeps its name", (code, reason) => {
    const thrown = failed(code);
    expect(CallError.from(thrown, "tcp").fault).toEqual({
      phase: "tcp",
      reason,
      errno: code,
      cause: thrown,
    });
  });

  test.each([
    ["ERR_HTTP2_ERROR", "not_http2"],
    ["ERR_HTTP2_GOAWAY_SESSION", "goaway"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "handshake_failed"],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "protocol_version"],
    ["ERR_INVALID_ARG_TYPE", "other"],
  ])("of a library, %s, is %s", (code, reason) => {
    const thrown = failed(code);
    expect(CallError.from(thrown, "http2").fault).toEqual({
      phase: "http2",
      reason,
      cause: thrown,
    });
  });

  test("is found under what wraps it, however deep the wrapping, also where it is a ring", () => {
    const ring = new Error("ring");
    ring.cause = ring;
    const wrapped = new Error("outer", {
      cause: new Error("inner", { cause: failed("ECONNRESET") }),
    });

    expect(CallError.from(wrapped, "rpc").fault.reason).toBe("connection_reset");
    expect(CallError.from(ring, "rpc").fault.reason).toBe("other");
    expect(CallError.from("a word", "rpc").fault).toEqual({
      phase: "rpc",
      reason: "other",
      cause: "a word",
    });
  });

  test("that is one already stays as it is", () => {
    const error = new CallError({ phase: "dns", reason: "nxdomain" });
    expect(CallError.from(error, "rpc")).toBe(error);
  });

  test("of a signal is a deadline, or our own doing", () => {
    const timeout = new DOMException("any", "TimeoutError");
    expect(CallError.from(timeout, "rpc").fault.reason).toBe("deadline");
    expect(CallError.from(AbortSignal.abort().reason, "rpc").fault.reason).toBe("agent");
  });

  test("is a capability exactly when the server will not do this for us", () => {
    const statuses = [
      "UNIMPLEMENTED",
      "UNAUTHENTICATED",
      "PERMISSION_DENIED",
      "UNAVAILABLE",
    ] as const;
    const errors = statuses.map(
      (status) => new CallError({ phase: "rpc", reason: "status", status }),
    );
    expect(errors.map((error) => error.isCapability)).toEqual([true, true, true, false]);
  });
});

describe("gRPC maps", () => {
  test.each([
    [400, "INTERNAL"],
    [401, "UNAUTHENTICATED"],
    [403, "PERMISSION_DENIED"],
    [404, "UNIMPLEMENTED"],
    [429, "UNAVAILABLE"],
    [500, "UNKNOWN"],
    [502, "UNAVAILABLE"],
    [503, "UNAVAILABLE"],
    [504, "UNAVAILABLE"],
    [200, "UNKNOWN"],
  ])("HTTP %d to %s", (httpStatus, status) => {
    expect(statusOfHttp(httpStatus)).toBe(status);
  });

  test.each([
    [0, "INTERNAL"],
    [2, "INTERNAL"],
    [7, "UNAVAILABLE"],
    [8, "CANCELLED"],
    [11, "RESOURCE_EXHAUSTED"],
    [12, "PERMISSION_DENIED"],
  ])("reset code %d to %s", (code, status) => {
    expect(statusOfReset(code)).toBe(status);
  });

  test.each([
    ["plain", "plain"],
    ["100%", "100%"],
    ["%zz %2", "%zz %2"],
    ["%E2%9c%93", "✓"],
    ["a%20b%25", "a b%"],
    ["✓", "✓"],
  ])("the message %s to %s", (text, decoded) => {
    expect(percentDecode(text)).toBe(decoded);
  });
});
