/**
 * Where the page of a code is read: one versioned place, so that a page always describes the agent
 * that links to it. Its version is the package's; a contract test compares them.
 */
const FINDINGS_PAGES = "https://github.com/grpc-doctor/grpc-doctor/blob/v0.1.0/docs/findings";

/** The page of a finding code. */
export function findingPage(code: string): string {
  return `${FINDINGS_PAGES}/${code}.md`;
}
