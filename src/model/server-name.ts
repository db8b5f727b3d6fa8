/** Kubernetes, DNS and protoc know none that is longer. */
const LONGEST_NAME = 253;

const INVISIBLE = /[\p{Cc}\p{Cf}]/u;

/**
 * True for a name that a server gave and that may be kept: not longer than any name is, without control
 * characters, and none that every JavaScript object has (`constructor`, `__proto__`), as names become
 * keys.
 */
export function isKeepable(name: string): boolean {
  return name.length <= LONGEST_NAME && !INVISIBLE.test(name) && !(name in Object.prototype);
}
