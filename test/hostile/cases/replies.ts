import { answers, type Handler, SERVING, startFaultyServer } from "../../support/faulty-server.ts";
import { bomb } from "../../support/hostile/bomb.ts";
import { endless } from "../../support/hostile/endless.ts";
import { at, type Gallery, type HostileCase } from "../hostile-case.ts";

const NOT_SERVING = [8, 2];
/** Flag, then a length of 4 GiB. */
const FOUR_GIBIBYTES = Buffer.from([0, 255, 255, 255, 255]);
const KIB = 1024;
const FLIP_MS = 10;

/** Every call of every service, and a probe besides, is answered with this. */
function always(fallback: Handler): HostileCase {
  return async () => {
    const { address } = await startFaultyServer({ fallback });
    return { target: { address }, probe: { method: "order.OrderService/GetOrder" } };
  };
}

/** Everything that is asked gets the same bad answer: health, channelz, reflection, X-ray, probe. */
export const REPLIES: Gallery = {
  "four-gibibytes": always(answers.body(FOUR_GIBIBYTES)),
  malformed: always(answers.messages([255, 255, 255])),
  "cut-short": always(answers.body(Buffer.from([0, 0, 0, 0, 9, 8, 1]))),
  "gzip-bomb": always(bomb("gzip", 512)),
  "deflate-bomb": always(bomb("deflate", 64)),
  html: always(answers.http(200, "text/html", "<html>".repeat(100 * KIB))),
  "html-as-grpc": always(answers.body(Buffer.from("<html>".repeat(100 * KIB)))),
  "endless-statuses": always(endless(SERVING, NOT_SERVING)),
  "endless-zeros": always(endless(Buffer.alloc(16 * KIB))),
  "many-fields": always(answers.messages(Buffer.alloc(4_000 * KIB, Uint8Array.from([0x78, 1])))),
  "deep-groups": always(answers.messages(Buffer.alloc(1_000 * KIB, 0x0b))),
  "header-of-64-kib": always((stream) => {
    stream.respond({
      ":status": 200,
      "content-type": "application/grpc",
      "x-long": "v".repeat(60 * KIB),
    });
    stream.end();
  }),
  "message-of-64-kib": always(answers.status(13, "long ".repeat(10 * KIB))),
  "status-of-no-number": always((stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": "1e999" },
      { endStream: true },
    );
  }),
  "health-that-flips": at(() =>
    startFaultyServer({
      handlers: { "/grpc.health.v1.Health/Watch": flips() },
    }),
  ),
};

/** Another status a hundred times a second. */
function flips(): Handler {
  return (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    let isServing = false;
    const timer = setInterval(() => {
      isServing = !isServing;
      stream.write(Buffer.from([0, 0, 0, 0, 2, ...(isServing ? SERVING : NOT_SERVING)]));
    }, FLIP_MS);
    stream.once("close", () => clearInterval(timer));
  };
}
