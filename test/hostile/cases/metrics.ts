import http from "node:http";
import type { AddressInfo } from "node:net";
import { createGzip } from "node:zlib";
import { startFaultyServer } from "../../support/faulty-server.ts";
import type { Gallery, HostileCase } from "../hostile-case.ts";

const KIB = 1024;
const MIB = KIB * KIB;
const SECOND_MS = 1_000;
const HANDLED = "grpc_server_handled_total";
const IN_CODE = 'grpc_service="a.A",grpc_code';

/** A server that is well, whose `/metrics` answers like this. */
function measuredBy(answer: http.RequestListener): HostileCase {
  return async () => {
    const { address } = await startFaultyServer();
    const server = http.createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return { target: { address, metrics: `http://127.0.0.1:${port}/metrics` } };
  };
}

const saying = (text: (scrape: number) => string | Buffer) => {
  let scrape = 0;
  return measuredBy((_, response) => {
    scrape += 1;
    response.end(text(scrape));
  });
};

/** As fast as it is taken, up to so many bytes. */
function pour(to: NodeJS.WritableStream, block: Buffer, bytes: number): void {
  let left = bytes;
  const fill = () => {
    while (left > 0) {
      left -= block.length;
      if (!to.write(block)) return void to.once("drain", fill);
    }
    to.end();
  };
  // Whoever had enough hangs up.
  to.on("error", () => {});
  fill();
}

const pouring = (block: Buffer, bytes: number) =>
  measuredBy((_, response) => pour(response, block, bytes));

const repeat = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => `${line(n)}\n`).join("");
const methods = (count: number, first = 0) =>
  repeat(count, (n) => `${HANDLED}{grpc_method="M${first + n}",grpc_code="OK"} 1`);

/** What is no count, in every place where one belongs. */
const OUT_OF_RANGE = [
  "-1",
  "NaN",
  "+Inf",
  "-Inf",
  "1e400",
  "-1e400",
  "9".repeat(400),
  "0x1f",
  "1e",
];
const CODES = ["OK", "Internal", "DeadlineExceeded", "Unavailable", "Code(99)", "\\", "\0"];

/** Metrics of an app that would fill, busy or mislead whoever reads them. */
export const METRICS: Gallery = {
  "metrics-of-500-mb": pouring(Buffer.from(methods(1_000)), 500 * MIB),
  "metrics-without-end": pouring(Buffer.from(methods(1_000)), Number.POSITIVE_INFINITY),
  "metrics-of-one-line": pouring(Buffer.alloc(64 * KIB, "x"), 500 * MIB),
  "metrics-of-a-million": measuredBy((_, response) => {
    let first = 0;
    const fill = () => {
      for (; first < 1_000_000; first += 10_000)
        if (!response.write(methods(10_000, first))) return void response.once("drain", fill);
      response.end();
    };
    fill();
  }),
  "metrics-of-100000-methods": saying(() => methods(100_000)),
  "metrics-of-100000-buckets": saying(() =>
    repeat(
      100_000,
      (n) => `grpc_server_handling_seconds_bucket{${IN_CODE}="OK",le="${n}"} ${n % 7}`,
    ),
  ),
  "metrics-of-new-names": saying((scrape) => methods(20_000, scrape * 20_000)),
  "metrics-gzip-bomb": measuredBy((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" });
    const gzip = createGzip();
    gzip.pipe(response);
    response.once("close", () => gzip.destroy());
    pour(gzip, Buffer.alloc(64 * KIB, "0 "), 500 * MIB);
  }),
  "metrics-mute": measuredBy(() => {}),
  "metrics-byte-by-byte": measuredBy((_, response) => {
    const timer = setInterval(() => response.write("x"), SECOND_MS);
    response.once("close", () => clearInterval(timer));
  }),
  "metrics-header-flood": measuredBy(({ socket }) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    pour(socket, Buffer.from("x-more: more\r\n".repeat(KIB)), 100 * MIB);
  }),
  "metrics-redirect": measuredBy(({ url }, response) => {
    response.writeHead(302, { location: `${url}/on` });
    response.end();
  }),
  "metrics-that-flip": (() => {
    let status = 500;
    return measuredBy((_, response) => {
      status = 500 + ((status + 1) % 100);
      response.writeHead(status).end();
    });
  })(),
  "metrics-of-html": saying(() => "<html>\n".repeat(100 * KIB)),
  "metrics-of-bytes": saying(() => Buffer.alloc(4 * MIB, Uint8Array.from([0, 255, 10, 123, 34]))),
  "metrics-of-another-type": measuredBy((_, response) => {
    response.writeHead(200, { "content-type": "image/png" }).end(methods(10));
  }),
  "metrics-out-of-range": saying(() =>
    CODES.flatMap((code) =>
      OUT_OF_RANGE.flatMap((value) => [
        `${HANDLED}{${IN_CODE}="${code}"} ${value}\n`,
        `grpc_server_started_total{${IN_CODE}="${code}"} ${value}\n`,
        `grpc_server_handling_seconds_bucket{${IN_CODE}="${code}",le="${value}"} ${value}\n`,
        `process_open_fds ${value}\nprocess_start_time_seconds ${value}\n`,
      ]),
    ).join(""),
  ),
  "metrics-that-fall": saying((scrape) =>
    CODES.map((code) => `${HANDLED}{${IN_CODE}="${code}"} ${1e9 - scrape * 1e6}\n`).join(""),
  ),
};
