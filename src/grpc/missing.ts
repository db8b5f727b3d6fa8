/** What the server or the configuration will not let a probe do: no fault of the server's. */
export interface Missing {
  readonly part: string;
  readonly reason: string;
  readonly fix: string;
}
