/** `because of dns-stale`; `ignored: renewal booked` for what the user asked not to be told. */
export function silencedText(because: string): string {
  return because.startsWith("ignored: ") ? because : `because of ${because}`;
}
