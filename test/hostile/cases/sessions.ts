import type net from "node:net";
import {
  data,
  FLAG,
  FRAME,
  fields,
  frame,
  GRPC_HEADERS,
  GRPC_OK,
  goaway,
  headers,
  rstStream,
  SETTING,
  settings,
} from "../../support/hostile/frames.ts";
import { type RawClient, startRawServer } from "../../support/hostile/raw-server.ts";
import { type Gallery, probed } from "../hostile-case.ts";

const NO_ERROR = 0;
const ENHANCE_YOUR_CALM = 11;
const MOST = 2 ** 32 - 1;
const MOST_WINDOW = 2 ** 31 - 1;

/** What every field of SETTINGS is set to. Source: RFC 9113 section 6.5.2. */
const allSet = (value: number, window = value) =>
  settings([
    [SETTING.headerTableSize, value],
    [SETTING.maxConcurrentStreams, value],
    [SETTING.initialWindowSize, window],
    [SETTING.maxHeaderListSize, value],
  ]);

const answer = (client: RawClient, stream: number, before: Uint8Array = Buffer.alloc(0)) =>
  client.write(
    before,
    headers(stream, GRPC_HEADERS),
    data(stream, [0, 0, 0, 0, 2, 8, 1]),
    headers(stream, GRPC_OK, FLAG.endHeaders | FLAG.endStream),
  );

/** Ends each connection with GOAWAY, in each phase of its life; and SETTINGS that nobody can work with. */
export const SESSIONS: Gallery = {
  "goaway-before-settings": probed(() =>
    startRawServer({ greet: (client) => client.write(goaway(ENHANCE_YOUR_CALM, "calm")) }),
  ),
  "goaway-with-settings": probed(() =>
    startRawServer({ greet: (client) => client.write(settings(), goaway(NO_ERROR)) }),
  ),
  "goaway-at-call": probed(() =>
    startRawServer({ call: (client) => client.write(goaway(ENHANCE_YOUR_CALM, "too_many_pings")) }),
  ),
  "goaway-of-stream-0": probed(() =>
    startRawServer({ call: (client) => client.write(goaway(NO_ERROR, "max_age", 0)) }),
  ),
  "goaway-in-answer": probed(() =>
    startRawServer({
      call: (client, stream) => {
        client.write(headers(stream, GRPC_HEADERS), goaway(ENHANCE_YOUR_CALM, "x".repeat(16_000)));
        client.socket.end();
      },
    }),
  ),
  "goaway-after-answer": probed(() =>
    startRawServer({
      call: (client, stream) => {
        answer(client, stream);
        client.write(goaway(NO_ERROR, "max_age"));
      },
    }),
  ),
  "settings-of-zero": probed(() => startRawServer({ greet: (client) => client.write(allSet(0)) })),
  "settings-of-most": probed(() =>
    startRawServer({
      greet: (client) => client.write(allSet(MOST, MOST_WINDOW)),
      call: (client, stream) => answer(client, stream),
    }),
  ),
  "settings-out-of-range": probed(() =>
    startRawServer({ greet: (client) => client.write(allSet(MOST)) }),
  ),
  "settings-that-lie": probed(() =>
    startRawServer({
      greet: (client) =>
        client.write(frame({ type: FRAME.settings }, Buffer.alloc(6), 2 ** 24 - 1)),
    }),
  ),
  "push-promise": probed(() =>
    startRawServer({
      call: (client, stream) => {
        const promised = Buffer.concat([Buffer.from([0, 0, 0, 2]), fields([[":path", "/"]])]);
        const flags = FLAG.endHeaders;
        answer(client, stream, frame({ type: FRAME.pushPromise, stream, flags }, promised));
      },
    }),
  ),
  "reset-of-every-call": probed(() =>
    startRawServer({ call: (client, stream) => client.write(rstStream(stream, 7)) }),
  ),
  "reset-of-connection": probed(() =>
    startRawServer({ greet: ({ socket }) => void (socket as net.Socket).resetAndDestroy() }),
  ),
};
