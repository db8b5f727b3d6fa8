import { issue } from "../../support/certificates.ts";
import { answers, SERVING, startFaultyServer } from "../../support/faulty-server.ts";
import {
  data,
  FLAG,
  GRPC_HEADERS,
  GRPC_OK,
  headers,
  settings,
} from "../../support/hostile/frames.ts";
import { type RawClient, startRawServer } from "../../support/hostile/raw-server.ts";
import { at, type Gallery } from "../hostile-case.ts";

const SECOND_MS = 1_000;

/** Servers that stop talking after each phase, or talk a byte a second in it. */
export const SILENCE: Gallery = {
  "mute-after-tcp": at(() => startFaultyServer({ accept: "mute" })),
  "mute-in-tls": async () => {
    const { address } = await startFaultyServer({ accept: "mute" });
    return { target: { address, tls: "on" } };
  },
  "mute-after-tls": async () => {
    const { address } = await startFaultyServer({ accept: "mute", tls: await issue() });
    return { target: { address, tls: "on" } };
  },
  "mute-in-settings": at(() => startRawServer({ greet: (client) => client.write(half()) })),
  "mute-after-settings": at(() => startRawServer({ acknowledges: false })),
  "mute-after-headers": at(() => startFaultyServer({ fallback: answers.stall() })),
  "mute-after-message": at(() => startFaultyServer({ fallback: answers.stall(SERVING) })),
  "mute-in-message": at(() =>
    startRawServer({
      call: (client, stream) =>
        client.write(headers(stream, GRPC_HEADERS), data(stream, [0, 0, 0, 1, 0, 8])),
    }),
  ),
  "slow-settings": at(() =>
    startRawServer({ greet: (client) => client.trickle(settings(), SECOND_MS) }),
  ),
  "slow-tls": async () => {
    const { address } = await startRawServer({
      accepted: trickleTls,
      greet: () => {},
      acknowledges: false,
    });
    return { target: { address, tls: "on" } };
  },
  "slow-answer": at(() =>
    startRawServer({
      call: (client, stream) => {
        const answer = Buffer.concat([
          headers(stream, GRPC_HEADERS),
          data(stream, [0, 0, 0, 0, 2, ...SERVING]),
          headers(stream, GRPC_OK, FLAG.endHeaders | FLAG.endStream),
        ]);
        client.trickle(answer, SECOND_MS);
      },
    }),
  ),
  "slow-html": at(() =>
    startRawServer({
      greet: () => {},
      accepted: (client) => client.trickle(Buffer.from("HTTP/1.1 200 OK\r\n\r\n<html>"), SECOND_MS),
    }),
  ),
};

const half = () => settings([[3, 100]]).subarray(0, 12);

/** A handshake record of 16 KiB that never ends. */
function trickleTls(client: RawClient): void {
  client.trickle(Buffer.from([0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc, 3, 3]), SECOND_MS);
}
