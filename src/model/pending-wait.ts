import type { Pending } from "./finding.ts";

/** A probe waits for a dozen; these show what kind they are. */
const MOST_NAMED = 3;

/** `active in 26 s if it stays`; where possible causes are looked at first, that is the longest it may take. */
export function pendingWait({ activeInSeconds, waitsFor = [] }: Pending): string {
  const seconds = Math.max(0, Math.ceil(activeInSeconds));
  if (waitsFor.length === 0) return `active in ${seconds} s if it stays`;
  const more = waitsFor.length - MOST_NAMED;
  const named = waitsFor.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
  return `active within ${seconds} s if it stays, at once when ${named} ${waitsFor.length === 1 ? "is" : "are"} ruled out`;
}

/** What is farther off than this comes to nobody who looks once. */
const SOON_SECONDS = 60;

/** The same in the report of one look, which has ended: it names no time that it could not have waited for. */
export function waitAfterLook(pending: Pending): string {
  return pending.activeInSeconds > SOON_SECONDS ? "one look cannot tell" : pendingWait(pending);
}
