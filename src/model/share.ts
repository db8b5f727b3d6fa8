/**
 * A share in [0, 1) that belongs to a name: the same in every life of the process, and different in
 * the pods of one deployment when the pod's UID is part of the name. It spreads a fleet's work
 * without coordination. FNV-1a, 32 bits, with murmur3's finish, since FNV alone leaves names that
 * differ in their last letter close together.
 */
export function shareOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
