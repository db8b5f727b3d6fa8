import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";

/** Node's own name for the native half of a session; gone from it when the session is destroyed. */
const HANDLE = "kHandle";

const kept = new FinalizationRegistry<unknown>(() => {
  // The stream is gone: what was kept behind it is let go with this entry.
});

/**
 * Keeps the native half of a session until this stream of it was collected. Node 20 ends the process
 * where both go in one collection and the session is first, while the stream still holds fields of a header
 * block that never ended: `~Http2Session(): Assertion failed: (current_nghttp2_memory_) == (0)`
 * (nodejs/node#39951; not with Node 24). Any server can bring that about.
 */
export function keepBehind(stream: ClientHttp2Stream, session: ClientHttp2Session): void {
  const symbol = Object.getOwnPropertySymbols(session).find((own) => own.description === HANDLE);
  if (symbol !== undefined) kept.register(stream, Reflect.get(session, symbol));
}
