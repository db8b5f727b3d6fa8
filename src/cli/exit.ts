/**
 * Exit codes of every command but `health`, which keeps grpc_health_probe's (design: command line).
 * The daemon ends with `fine` on SIGTERM and never because the app is sick.
 */
export const EXIT = {
  fine: 0,
  /** Findings at or above `--fail-on`, or a failed probe or call. */
  found: 1,
  usage: 2,
  configuration: 3,
  /** Ours, in the words of sysexits.h: EX_SOFTWARE. */
  bug: 70,
} as const;

/** The command was called wrongly. The message ends in what would have been right. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
