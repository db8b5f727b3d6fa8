/**
 * Where pages are read: one versioned place, so that a page always describes the agent that links to
 * it. Its version is the package's; a contract test compares them.
 */
const PAGES = "https://github.com/grpc-doctor/grpc-doctor/blob/v0.1.0/docs";

/** The page of a finding code. */
export function findingPage(code: string): string {
  return `${PAGES}/findings/${code}.md`;
}

/** A section of the page about alerts. */
export function monitoringPage(section: string): string {
  return `${PAGES}/monitoring.md#${section}`;
}
