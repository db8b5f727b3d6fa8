import { pino } from "pino";
import { durationText } from "../model/duration-text.ts";
import type { AgentEvent } from "../model/event.ts";
import type { LogSettings } from "../model/settings.ts";
import { type Instant, rfc3339 } from "../model/time.ts";
import { watchCapabilities } from "./capability-lines.ts";
import { type Drain, watchDrains } from "./drain-watch.ts";
import { dropped, eventLines } from "./event-lines.ts";
import { findingLine } from "./finding-line.ts";
import { type HealthChange, watchHealth } from "./health-changes.ts";
import { type ListenWait, watchListenWaits } from "./listen-waits.ts";
import { type LogLevel, type LogLine, SEVERITY_NUMBERS } from "./log-line.ts";
import { flushed, type LogStream, takesLines } from "./log-stream.ts";
import { createRateLimit } from "./rate-limit.ts";
import type { Sink } from "./sink.ts";
import { textOf } from "./text-format.ts";

export interface LogOptions extends LogSettings {
  readonly stream: LogStream;
  /** For `format: text` on a terminal that wants colour. */
  readonly colour?: boolean;
  /** For `format: text`: where the texts of a finding are broken, 100 characters without it. */
  readonly width?: number;
  /** An instant of the agent's own time by the wall clock; the findings' are shown so already. */
  readonly shown?: (at: Instant) => Instant;
  /** Hears of lines that were lost. */
  readonly event: (event: AgentEvent) => void;
}

/** Changes of health, and of what can be seen, of one target: who flaps faster is `health-flapping`, or broken. */
const MOST_CHANGES = 20;

/** A line a minute of each job that fails, each detector that crashes, and of dropped spans. */
const QUIET_MS = 60_000;

/**
 * The log: every line that the agent can write, decided here and in the files that it imports.
 *
 * One JSON line for each transition of a finding, which is the alert; transitions of health and of
 * capabilities at info; and the agent's own life. Nothing else speaks at warn or error because the
 * app is sick: a sick app is a finding. The agent's own faults carry `component`, never a code.
 *
 * A reader that stands still, or is gone, costs its lines and nothing else: they are counted, and the
 * first one that can be written again says how many are missing.
 */
export function createLogSink(options: LogOptions): Sink {
  const { shown = (at) => at } = options;
  const tell = writerOf(options);
  const write = (line: LogLine) => tell({ ...line, at: shown(line.at) });
  const healthChange = watchHealth();
  const watchDrain = watchDrains();
  const listenWait = watchListenWaits();
  const capabilityLine = watchCapabilities();
  const limit = createRateLimit(QUIET_MS);
  const limitChanges = createRateLimit(QUIET_MS, MOST_CHANGES);
  const writeUnless = (kept: number | "kept", line: LogLine) => {
    if (kept === "kept") return;
    write(kept === 0 ? line : { ...line, fields: { ...line.fields, keptBack: kept } });
  };

  return {
    name: "log",
    change: (change) => tell(findingLine(change)),
    hear(event) {
      const key = limitKey(event);
      const kept = key === undefined ? 0 : limit(key, event.at);
      for (const line of eventLines(event, shown)) writeUnless(kept, line);
    },
    observe(observation) {
      const change = healthChange(observation);
      if (change !== undefined)
        writeUnless(limitChanges(`health/${change.target}`, change.at), healthLine(change));
      const drain = watchDrain(observation);
      if (drain !== undefined) write(drainLine(drain));
      const wait = listenWait(observation);
      if (wait !== undefined) write(waitLine(wait));
      const capability = capabilityLine(observation);
      if (capability !== undefined)
        writeUnless(limitChanges(`capability/${observation.target}`, observation.at), capability);
    },
    close: (signal) => flushed(options.stream, signal),
  };
}

/** What an event that can come at every run is limited by; the others are all told. */
function limitKey(event: AgentEvent): string | undefined {
  switch (event.kind) {
    case "job-failed":
    case "job-skipped":
      return `${event.kind}/${event.job}`;
    case "detector-crashed":
      return `${event.kind}/${event.detector}`;
    case "sink-dropped":
      return `${event.kind}/${event.sink}`;
    case "spans-dropped":
      return event.kind;
    default:
      return undefined;
  }
}

function healthLine({ target, service, from, to, at }: HealthChange): LogLine {
  const name = service === "" ? target : `${target}: ${service}`;
  return {
    level: "info",
    at,
    event: "grpc_doctor.health.changed",
    msg: `health of ${name}: ${from === undefined ? to : `${from} → ${to}`}`,
    fields: { target, service, ...(from === undefined ? {} : { from }), to },
  };
}

function waitLine({ target, address, startupMs, at }: ListenWait): LogLine {
  return {
    level: "info",
    at,
    event: "grpc_doctor.target.waiting",
    msg: `waiting for ${address} to listen (up to ${durationText(startupMs)})`,
    fields: { target, address, startupSeconds: startupMs / 1000 },
  };
}

function drainLine({ target, beganAt, endedAt, servesAgain, notServingLeadMs }: Drain): LogLine {
  const lead =
    notServingLeadMs === undefined ? {} : { notServingLeadSeconds: notServingLeadMs / 1000 };
  if (endedAt === undefined) {
    const msg = `${target} began to drain`;
    const event = "grpc_doctor.drain.began";
    return { level: "info", at: beganAt, event, msg, fields: { target, ...lead } };
  }
  const drainSeconds = (endedAt - beganAt) / 1000;
  return {
    level: "info",
    at: endedAt,
    event: "grpc_doctor.drain.ended",
    msg: servesAgain
      ? `${target} serves again, ${drainSeconds} s after it began to drain`
      : `${target} drained in ${drainSeconds} s`,
    fields: { target, drainSeconds, ...lead },
  };
}

/** Columns of a finding's texts, indent included; a terminal rarely has fewer. */
const WIDTH = 100;
/** Writes a line that the level lets through, or counts it as lost. */
function writerOf(options: LogOptions): (line: LogLine) => void {
  const { level, format, stream, event } = options;
  let lost = 0;
  /** What is lost with the line that is being written, and whether it was counted before. */
  let at = 0;
  let again = 0;
  const lose = (when: number) => {
    lost += 1;
    event({ kind: "sink-dropped", at: when, sink: "log", count: 1 });
  };
  // The standard output of Node stays writable when its reader is gone: each write says so itself.
  const write = (format === "text" ? textWriter : jsonWriter)({
    ...options,
    stream: {
      write(text) {
        const [when, before] = [at, again];
        stream.write(text, (error) => {
          if (error instanceof Error && before === 0) lose(when);
          else if (error instanceof Error) lost += before;
        });
      },
    },
  });
  return (line) => {
    if (SEVERITY_NUMBERS[line.level] < SEVERITY_NUMBERS[level]) return;
    if (!takesLines(stream)) return lose(line.at);
    at = line.at;
    again = lost;
    lost = 0;
    if (again > 0) write(dropped({ sink: "log", count: again, at }));
    again = 0;
    write(line);
  };
}

function jsonWriter({ level, stream }: LogOptions): (line: LogLine) => void {
  const logger = pino(
    {
      level,
      base: {},
      timestamp: false, // the event's own time, below: a line tells when it happened
      messageKey: "msg",
      formatters: {
        level: (label) => ({ level: label, severity_number: SEVERITY_NUMBERS[label as LogLevel] }),
      },
    },
    stream,
  );
  return ({ level: at, msg, event, fields, ...line }) =>
    logger[at]({ time: rfc3339(line.at), "otel.event.name": event, ...fields }, msg);
}

function textWriter({
  stream,
  colour = false,
  width = WIDTH,
}: LogOptions): (line: LogLine) => void {
  return (line) => void stream.write(textOf(line, { isColoured: colour, width }));
}
