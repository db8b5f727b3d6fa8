import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { builtFile, peerBinary } from "../interop/peer.ts";

/** What came of a load: latencies in ms, the share of calls that failed, and how many there were. */
export interface Outcome {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly errors: number;
  readonly calls: number;
}

const run = promisify(execFile);
const LOCUST_FILE = fileURLToPath(new URL("locustfile.py", import.meta.url));
const PROTO = fileURLToPath(new URL("../../src/proto", import.meta.url));

/** What of ghz's report is read. */
interface GhzReport {
  readonly count: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly latencyDistribution: readonly {
    readonly percentage: number;
    readonly latency: number;
  }[];
}

/** ghz by server reflection. */
export async function ghz(address: string, flags: readonly string[]): Promise<Outcome> {
  const call = ["--insecure", "--call", "order.OrderService/GetOrder", "-d", '{"id":"order-1"}'];
  const line = [...call, "--format", "json", ...flags, address];
  const { stdout } = await run(peerBinary("ghz"), line);
  const report: GhzReport = JSON.parse(stdout);
  const latency = (share: number) =>
    (report.latencyDistribution.find(({ percentage }) => percentage === share)?.latency ??
      Number.NaN) / 1e6;
  const { OK = 0 } = report.statusCodeDistribution;
  return {
    p50: latency(50),
    p95: latency(95),
    p99: latency(99),
    errors: 1 - OK / report.count,
    calls: report.count,
  };
}

/** Locust with the file beside this one. */
export async function locust(address: string, flags: readonly string[]): Promise<Outcome> {
  const line = ["-f", LOCUST_FILE, "--headless", "--only-summary", ...flags, "--host", address];
  const env = { ...process.env, PYTHONPATH: PROTO, PYTHONDONTWRITEBYTECODE: "1" };
  const { stdout } = await run(builtFile("load/bin/locust"), line, { env });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}
