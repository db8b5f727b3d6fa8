import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { isAdministrative } from "../model/administrative.ts";
import type { MethodShape } from "../model/facts/services.ts";
import { maskText } from "../model/mask.ts";
import { isKeepable } from "../model/server-name.ts";
import { statusName } from "../model/status.ts";
import type { Clock } from "../model/time.ts";
import { decode } from "./bounded-decode.ts";
import { CallError } from "./call-error.ts";
import { concurrently } from "./concurrently.ts";
import { methodsIn } from "./descriptor-bytes.ts";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "./gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionV1Alpha } from "./gen/grpc/reflection/v1alpha/reflection_pb.js";
import type { Connection } from "./transport.ts";
import { methodPath } from "./typed-call.ts";

type Question = NonNullable<
  MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]
>;

interface Limits {
  readonly signal: AbortSignal;
}

export interface FileLimits extends Limits {
  readonly clock: Clock;
}

/** The same messages under two names; the older one is all that Python serves. */
const PATHS = [
  methodPath(ServerReflection.method.serverReflectionInfo),
  methodPath(ServerReflectionV1Alpha.method.serverReflectionInfo),
] as const;

const MAX_SERVICES = 200;
const MAX_METHODS = 500;
const MAX_FILES = 500;
/** Of one service with all that it imports: as objects they take thirty times as much. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Of all services, one after the other; they are looked through, and not built. */
const MAX_SEEN_BYTES = 16 * 1024 * 1024;
const WIDTH = 4;
/**
 * Server reflection over a connection: v1, and v1alpha where v1 is unimplemented.
 *
 * Each question is a stream of its own with one message, half-closed by us and ended by the server: a
 * cancelled stream is an error in some servers' logs. All throws are `CallError`; the server's own
 * error answers have reason `descriptor`.
 *
 * Source: grpc/grpc doc/server-reflection.md.
 */
export async function listServices(
  connection: Connection,
  limits: Limits,
): Promise<readonly string[]> {
  const answer = await ask(connection, { case: "listServices", value: "*" }, limits);
  if (answer.case !== "listServicesResponse") throw unexpected(answer.case);
  const names = answer.value.service.map(({ name }) => name);
  return names.filter(isKeepable).toSorted().slice(0, MAX_SERVICES);
}

/** The file that declares a symbol, and all that it imports: bounded in files, bytes and fields. */
export async function readFiles(
  connection: Connection,
  symbol: string,
  limits: FileLimits,
): Promise<readonly FileDescriptorProto[]> {
  const files = new Map<string, FileDescriptorProto>();
  // With it comes the descriptor of descriptors, which nobody else needs.
  const { createFileDecoder } = await import("./file-decoder.ts");
  const decodeFile = createFileDecoder(limits);
  let bytes = 0;
  const keep = async (received: readonly Uint8Array[]) => {
    bytes += received.reduce((sum, { length }) => sum + length, 0);
    if (bytes > MAX_BYTES || received.length > MAX_FILES) throw tooMuch();
    for (const each of received) {
      const file = await decodeFile(each);
      files.set(file.name, file);
    }
    if (files.size > MAX_FILES) throw tooMuch();
  };
  await keep(await askFile(connection, { case: "fileContainingSymbol", value: symbol }, limits));

  // Some servers send all imports at once, others the one file that was asked for. What an answer
  // adds can import more; a name is asked for once, so this ends.
  const asked = new Set<string>();
  for (;;) {
    const imports = [...files.values()].flatMap(({ dependency }) => dependency);
    const missing = [...new Set(imports)].filter((name) => !files.has(name) && !asked.has(name));
    if (missing.length === 0) return [...files.values()];
    if (asked.size + missing.length > MAX_FILES) throw tooMuch();
    for (const name of missing) asked.add(name);
    await concurrently(missing, WIDTH, async (name) => {
      const question = { case: "fileByFilename", value: name } as const;
      // Without it the well-known types stand in, or the registry says what is missing.
      await keep(await askFile(connection, question, limits).catch(nothingIfRefused));
    });
  }
}

/** The methods that the server describes, without the administrative services; at most 500. */
export async function readMethods(
  connection: Connection,
  limits: Limits,
): Promise<readonly MethodShape[]> {
  const listed = await listServices(connection, limits);
  const services = listed.filter((name) => !isAdministrative(name));
  let bytes = 0;
  const methods = await concurrently(services, WIDTH, async (service) => {
    if (bytes > MAX_SEEN_BYTES) return [];
    const question = { case: "fileContainingSymbol", value: service } as const;
    // A server may list services whose descriptors it does not have.
    const received = await askFile(connection, question, limits).catch(nothingIfRefused);
    bytes += received.reduce((sum, { length }) => sum + length, 0);
    return methodsIn(received, service);
  });
  return methods
    .flat()
    .filter(({ name }) => isKeepable(name))
    .slice(0, MAX_METHODS);
}

async function askFile(
  connection: Connection,
  question: Question,
  limits: Limits,
): Promise<readonly Uint8Array[]> {
  const answer = await ask(connection, question, limits);
  if (answer.case !== "fileDescriptorResponse") throw unexpected(answer.case);
  return answer.value.fileDescriptorProto;
}

/** Which of the two names a server knows, so that the wrong one is not called again. */
const versions = new WeakMap<Connection, (typeof PATHS)[number]>();

async function ask(
  connection: Connection,
  question: Question,
  limits: Limits,
): Promise<ServerReflectionResponse["messageResponse"]> {
  const [v1, v1alpha] = PATHS;
  const path = versions.get(connection) ?? v1;
  try {
    return await exchange(connection, { path, question, ...limits });
  } catch (thrown) {
    const isMissing = thrown instanceof CallError && thrown.fault.status === "UNIMPLEMENTED";
    if (path !== v1 || !isMissing || thrown.fault.reason === "descriptor") throw thrown;
    const answer = await exchange(connection, { path: v1alpha, question, ...limits });
    versions.set(connection, v1alpha);
    return answer;
  }
}

async function exchange(
  connection: Connection,
  { path, question, signal }: Limits & { readonly path: string; readonly question: Question },
): Promise<ServerReflectionResponse["messageResponse"]> {
  const message = create(ServerReflectionRequestSchema, { messageRequest: question });
  const request = toBinary(ServerReflectionRequestSchema, message);
  let first: Uint8Array | undefined;
  try {
    // To the server's own end: leaving early would cancel the stream. One question has one answer.
    for await (const answer of connection.serverStream({ path, request, signal })) {
      if (first !== undefined) break;
      first = answer;
    }
  } catch (thrown) {
    if (first === undefined) throw thrown;
  }
  if (first === undefined) throw unexpected(undefined);
  const { messageResponse } = decode(ServerReflectionResponseSchema, first);
  if (messageResponse.case !== "errorResponse") return messageResponse;
  const { errorCode, errorMessage } = messageResponse.value;
  throw new CallError({
    phase: "rpc",
    reason: "descriptor",
    status: statusName(errorCode),
    statusText: maskText(errorMessage),
  });
}

function tooMuch(): CallError {
  return new CallError({ phase: "rpc", reason: "message_too_large" });
}

function nothingIfRefused(thrown: unknown): readonly Uint8Array[] {
  if (thrown instanceof CallError && thrown.fault.reason === "descriptor") return [];
  throw thrown;
}

function unexpected(answer: string | undefined): CallError {
  const cause = new Error(`expected another answer than ${answer ?? "none"}`);
  return new CallError({ phase: "rpc", reason: "malformed_reply", cause });
}
