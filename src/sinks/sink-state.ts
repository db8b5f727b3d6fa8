import type { AgentEvent } from "../model/event.ts";
import { maskText } from "../model/mask.ts";
import type { Instant } from "../model/time.ts";

/** Who is told when a sink begins, and ceases, to fail. */
export interface SinkReport {
  readonly now: () => Instant;
  readonly event: (event: AgentEvent) => void;
}

/**
 * The two states of one sink: it works, or it fails. Only a change of state is told, so that a
 * collector which is down for a day is one line and not a thousand.
 *
 * A way is one of the sink's methods, or its connection: a sink that can hear but not change has not
 * recovered, so each way is kept apart.
 */
export class SinkState {
  readonly #sink: string;
  readonly #report: SinkReport;
  readonly #failing = new Set<string>();

  constructor(sink: string, report: SinkReport) {
    this.#sink = sink;
    this.#report = report;
  }

  worked(way: string): void {
    if (!this.#failing.delete(way) || this.#failing.size > 0) return;
    this.#report.event({ kind: "sink-recovered", sink: this.#sink, at: this.#report.now() });
  }

  /** The state changes before it is told, as the teller may hand the event to this very sink. */
  failed(way: string, thrown: unknown): void {
    const wasFailing = this.#failing.size > 0;
    this.#failing.add(way);
    if (wasFailing) return;
    const errorText = textOf(thrown);
    this.#report.event({
      kind: "sink-failed",
      sink: this.#sink,
      errorText,
      at: this.#report.now(),
    });
  }
}

/**
 * The first line of what was thrown, masked: a collector or a receiver may have answered with anything.
 * What the system says of a file, a port or a connection is left as it is: it names what was configured.
 */
function textOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return maskText(String(thrown));
  return "syscall" in thrown ? thrown.message.slice(0, LONGEST_TEXT) : maskText(thrown.message);
}

const LONGEST_TEXT = 200;
