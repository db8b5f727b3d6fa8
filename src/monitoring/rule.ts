/** A series that Prometheus computes and keeps: `level:metric:operation`. */
export interface Recording {
  readonly record: string;
  readonly expr: string;
}

/** An alert, as Prometheus takes it. */
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  /** How long the expression holds before it fires; absent: at once. */
  readonly for?: string;
  /** How long it goes on firing without the expression: over a scrape that failed. */
  readonly keep_firing_for?: string;
  readonly labels: { readonly severity: "critical" | "warning" | "info" };
  readonly annotations: {
    /** One line, without numbers that move. */
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}

/** Rules that are evaluated in this order, one after the other. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly (Recording | Alert)[];
}
