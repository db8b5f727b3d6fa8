import type { Json } from "../model/json.ts";
import type { Instant } from "../model/time.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Numbers of the OpenTelemetry log data model. Source: opentelemetry-specification logs/data-model.md. */
export const SEVERITY_NUMBERS: Readonly<Record<LogLevel, number>> = {
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
};

/** One line of the log, before it has a format. */
export interface LogLine {
  readonly level: LogLevel;
  readonly at: Instant;
  /** `grpc_doctor.…`: static, so that a query can name it. Values are in `fields`. */
  readonly event: string;
  readonly msg: string;
  readonly fields: Readonly<Record<string, Json>>;
}
