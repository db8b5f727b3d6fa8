import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { decode } from "./bounded-decode.ts";
import type { CallOptions, Connection } from "./transport.ts";

export interface TypedCall<I extends DescMessage>
  extends Pick<CallOptions, "signal" | "timeoutMs" | "maxMessageBytes"> {
  readonly request: MessageInitShape<I>;
}

/**
 * A unary call of generated types over a connection. Throws `CallError`: with the transport's fault,
 * or as `decode` does where the bytes are no message of that type.
 */
export async function callUnary<I extends DescMessage, O extends DescMessage>(
  connection: Connection,
  method: DescMethodUnary<I, O>,
  { request, ...options }: TypedCall<I>,
): Promise<MessageShape<O>> {
  const bytes = toBinary(method.input, create(method.input, request));
  const path = methodPath(method);
  const answer = await connection.unary({ ...options, path, request: bytes });
  return decode(method.output, answer.message);
}

/** The same for a server-streaming method; ends as the connection's stream ends. */
export async function* callServerStream<I extends DescMessage, O extends DescMessage>(
  connection: Connection,
  method: DescMethodServerStreaming<I, O>,
  { request, ...options }: TypedCall<I>,
): AsyncIterable<MessageShape<O>> {
  const bytes = toBinary(method.input, create(method.input, request));
  const path = methodPath(method);
  const messages = connection.serverStream({ ...options, path, request: bytes });
  for await (const message of messages) yield decode(method.output, message);
}

/** `/package.Service/Method`. */
export function methodPath(method: {
  readonly parent: { readonly typeName: string };
  readonly name: string;
}): string {
  return `/${method.parent.typeName}/${method.name}`;
}
