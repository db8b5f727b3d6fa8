import { counted } from "../model/counted.ts";
import type { AgentEvent, EventKind, ListenerName } from "../model/event.ts";
import type { Json } from "../model/json.ts";
import { type Instant, rfc3339 } from "../model/time.ts";
import type { LogLevel, LogLine } from "./log-line.ts";

type EventOf<K extends EventKind> = Extract<AgentEvent, { readonly kind: K }>;
type Lines<K extends EventKind> = (
  event: EventOf<K>,
  shown: (at: Instant) => Instant,
) => readonly LogLine[];

/** Configuration faults told one by one; the file is not worth more lines. */
const MOST_FAULTS = 50;

/** Every line that an event about the agent itself can write. A kind without a line has `[]`. */
const LINES: { readonly [K in EventKind]: Lines<K> } = {
  started: (event) => [
    line(event, "info", {
      name: "agent.started",
      msg: `grpc-doctor ${event.version} watches ${counted(event.targets, "target")} with ${counted(event.probes, "probe")}; ${served("metrics", "listen", event)}, ${served("findings", "admin", event)}`,
      version: event.version,
      targets: event.targets,
      probes: event.probes,
      listen: event.listen,
      admin: event.admin,
      ...(event.notYet.length === 0 ? {} : { notYet: event.notYet }),
    }),
  ],
  stopping: (event) => [
    line(event, "info", {
      name: "agent.stopping",
      msg: `stops (${event.signal})`,
      signal: event.signal,
    }),
  ],
  stalled: (event) => [
    line(event, "debug", {
      name: "agent.stalled",
      msg: `the agent stood still for ${Math.round(event.lateMs)} ms: timing is not judged for a while`,
      component: "agent",
      lateMs: event.lateMs,
    }),
  ],
  "job-finished": () => [],
  "job-skipped": (event) => [
    line(event, "debug", {
      name: "job.skipped",
      msg: `a run of ${event.job} was skipped: ${event.why}`,
      component: "scheduler",
      job: event.job,
      target: event.target,
    }),
  ],
  "job-failed": (event) => [
    line(event, "error", {
      name: "job.failed",
      msg: `a bug of ours in ${event.job}: ${event.errorText}`,
      component: "scheduler",
      job: event.job,
      target: event.target,
      ...stackOf(event.stack),
    }),
  ],
  "sink-failed": (event) => [
    line(event, "warn", {
      name: "sink.failed",
      msg: `${event.sink} cannot be ${doneBy(event.sink).failed}: ${event.errorText}`,
      component: event.sink,
    }),
  ],
  "sink-recovered": (event) => [
    line(event, "info", {
      name: "sink.recovered",
      msg: `${event.sink} ${doneBy(event.sink).recovered}`,
      component: event.sink,
    }),
  ],
  // The log tells its own losses, with the next line that it can write.
  "sink-dropped": (event) => (event.sink === "log" ? [] : [dropped(event)]),
  "detector-crashed": (event) => [
    line(event, "error", {
      name: "detector.crashed",
      msg: `a bug of ours in the detector of ${event.detector}: ${event.errorText}`,
      component: "detectors",
      detector: event.detector,
      target: event.target,
      ...stackOf(event.stack),
    }),
  ],
  "detector-ran": () => [],
  "config-loaded": (event) => [
    line(event, "info", {
      name: "config.loaded",
      msg: `runs on ${event.file}${event.changed.length === 0 ? "" : `; changed: ${event.changed.join(", ")}`}`,
      file: event.file,
      changed: event.changed,
    }),
  ],
  "config-unchanged": (event) => [
    line(event, "info", {
      name: "config.unchanged",
      msg: `read ${event.file} again: it says what runs already`,
      file: event.file,
    }),
  ],
  "config-rejected": (event, shown) => [
    line(event, "error", {
      name: "config.rejected",
      msg: `${event.file} has ${counted(event.faults.length, "fault")}; runs on the ${event.runningOn} configuration`,
      component: "config",
      file: event.file,
      faults: event.faults.length,
      runningOn: event.runningOn,
      runningSinceAt: rfc3339(shown(event.runningSince)),
    }),
    ...event.faults.slice(0, MOST_FAULTS).map((fault) =>
      line(event, "error", {
        name: "config.fault",
        msg: fault,
        component: "config",
      }),
    ),
  ],
  "config-warning": (event) => [
    line(event, "warn", {
      name: "config.warning",
      msg: event.text,
      component: "config",
    }),
  ],
  credentials: ({ paths, fault, hasNone = false, at }) => {
    const files = paths.join(", ");
    const component = "credentials";
    if (fault === undefined) {
      const msg = `${files} can be used again, and is`;
      return [line({ at }, "info", { name: "credentials.whole", msg, component })];
    }
    const instead = hasNone
      ? "they were never whole, and what needs them is not examined"
      : "what was read before stays in use";
    const msg = `${files} cannot be used (${fault}); ${instead}`;
    return [line({ at }, "warn", { name: "credentials.broken", msg, component })];
  },
  self: () => [],
  "spans-dropped": (event) => [
    line(event, "warn", {
      name: "spans.dropped",
      msg: `dropped ${counted(event.count, "span")}`,
      component: "otlp",
      spans: event.count,
    }),
  ],
  "snapshot-written": (event) => [
    line(event, "info", {
      name: "snapshot.written",
      msg: `wrote ${event.file}`,
      file: event.file,
    }),
  ],
};

/** What is done with it: the two listeners serve, snapshots are files, and the others are told of what happens. */
function served(what: string, name: ListenerName, event: EventOf<"started">): string {
  return event.notYet.includes(name)
    ? `no ${what} yet, as ${event[name]} cannot be had`
    : `${what} on ${event[name]}`;
}

function doneBy(sink: string): { readonly failed: string; readonly recovered: string } {
  switch (sink) {
    case "listen":
    case "admin":
      return { failed: "served, and is tried again", recovered: "is served" };
    case "snapshots":
      return { failed: "written", recovered: "can be written again" };
    default:
      return { failed: "told", recovered: "can be told again" };
  }
}

/** The lines of one event, in order; instants in their fields are `shown` by the wall clock. */
export function eventLines<K extends EventKind>(
  event: EventOf<K>,
  shown: (at: Instant) => Instant,
): readonly LogLine[] {
  // One entry for each kind: the compiler cannot see that `event.kind` picks the event's own.
  const lines = LINES[event.kind] as Lines<K>;
  return lines(event, shown);
}

/** What a sink could not tell. */
export function dropped({ sink, count, at }: Omit<EventOf<"sink-dropped">, "kind">): LogLine {
  const msg = `${sink} lost ${counted(count, "message")}`;
  return line({ at }, "warn", { name: "sink.dropped", msg, component: sink, messages: count });
}

function line(
  event: Pick<AgentEvent, "at">,
  level: LogLevel,
  {
    name,
    msg,
    ...fields
  }: Readonly<Record<string, Json>> & { readonly name: string; readonly msg: string },
): LogLine {
  return { level, at: event.at, event: `grpc_doctor.${name}`, msg, fields };
}

function stackOf(stack: string | undefined): { readonly stack?: string } {
  return stack === undefined ? {} : { stack };
}
