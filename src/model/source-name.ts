/** The eight ways to look at the world; jobs, labels and capabilities use these words. */
export const SOURCE_NAMES = [
  "health",
  "channelz",
  "preflight",
  "probe",
  "dns",
  "kernel",
  "metrics",
  "files",
] as const;

export type SourceName = (typeof SOURCE_NAMES)[number];

/**
 * Who saw a symptom: a source, or one of the sharper witnesses within or beside them. `connection`
 * is the kept connection and its end, `channelz-client` the app's own channels.
 */
export type Witness =
  | SourceName
  | "connection"
  | "channelz-client"
  | "cgroup"
  | "self"
  | "drain"
  | "config";
