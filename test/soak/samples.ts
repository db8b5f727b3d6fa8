import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { seconds } from "../interop/scene.ts";
import type { RunningAgent } from "../support/running-agent.ts";

/** What one look at the agent showed, from outside. */
export interface Sample {
  readonly atMs: number;
  /** More wanted to run than the machine could, in the minute before. */
  readonly isCrowded: boolean;
  /** The same moment, by the clock of the log. */
  readonly wallMs: number;
  readonly residentMib: number;
  readonly anonymousMib: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly series: number;
  readonly lines: number;
  /** Codes that were judged in the evaluation before, over all targets. */
  readonly judged: number;
  /** Since the newest evaluation. */
  readonly behindSeconds: number;
}

/** What has a mean and a maximum. */
export type Figure = Exclude<keyof Sample, "isCrowded">;

/** What inside.mjs counts. */
export interface Inside {
  readonly timers: number;
  readonly signals: number;
  readonly emitters: number;
  readonly promises: number;
  readonly maps: number;
  readonly resources: number;
  readonly warnings: readonly string[];
}

/** Looks at the agent again and again, and remembers every counter that went back. */
export interface Sampler {
  readonly samples: readonly Sample[];
  /** `series: before > after`, over the whole life of the agent. */
  readonly fallen: readonly string[];
  look(): Promise<Sample>;
}

/** `forgets` says whether a series may end and start anew, as those of a removed probe do. */
export function createSampler(agent: RunningAgent, forgets: (series: string) => boolean): Sampler {
  const samples: Sample[] = [];
  const fallen: string[] = [];
  const counters = new Map<string, number>();
  return {
    samples,
    fallen,
    async look() {
      const text = await agent.metrics();
      const values = seriesOf(text);
      for (const [series, value] of countersOf(text, values)) {
        const before = counters.get(series) ?? 0;
        if (value < before && !forgets(series)) fallen.push(`${series}: ${before} > ${value}`);
        counters.set(series, value);
      }
      const severities = [...values.keys()].filter((series) =>
        series.startsWith("grpc_doctor_finding_severity{"),
      );
      const evaluated = values.get("grpc_doctor_last_evaluation_timestamp_seconds") ?? Number.NaN;
      const sample = {
        ...processOf(agent.pid),
        atMs: performance.now(),
        isCrowded: (loadavg()[0] ?? 0) > availableParallelism(),
        wallMs: Date.now(),
        series: values.size,
        lines: agent.log.length,
        judged: severities.length,
        behindSeconds: Date.now() / 1_000 - evaluated,
      };
      samples.push(sample);
      return sample;
    },
  };
}

/** Resolves with what the agent counted of itself. */
export async function lookInside(agent: RunningAgent, file: string): Promise<Inside> {
  rmSync(file, { force: true });
  process.kill(agent.pid, "SIGUSR2");
  while (!existsSync(file)) await seconds(0.2);
  return JSON.parse(readFileSync(file, "utf8")) as Inside;
}

export function mean(samples: readonly Sample[], figure: Figure): number {
  return samples.reduce((sum, sample) => sum + sample[figure], 0) / samples.length;
}

export function most(samples: readonly Sample[], figure: Figure): number {
  return Math.max(...samples.map((sample) => sample[figure]));
}

/** The samples between two shares of the whole. */
export function between(samples: readonly Sample[], from: number, to: number): readonly Sample[] {
  const at = (share: number) => Math.round(share * samples.length);
  return samples.slice(at(from), Math.max(at(from) + 1, at(to)));
}

function seriesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Counters, and of histograms the buckets, the count and the sum. */
function countersOf(text: string, values: ReadonlyMap<string, number>) {
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  return [...values].filter(([series]) => {
    const [name = ""] = series.split("{");
    const type = types.get(name) ?? types.get(name.replace(/_(bucket|count|sum)$/, ""));
    return type === "counter" || type === "histogram";
  });
}

/** Source: proc_pid_status(5); proc_pid_fd(5). */
function processOf(pid: number) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const value = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return {
    residentMib: value("VmRSS") / 1_024,
    anonymousMib: value("RssAnon") / 1_024,
    threads: value("Threads"),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}
