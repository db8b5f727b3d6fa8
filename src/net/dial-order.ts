import { shareOf } from "../model/share.ts";

/**
 * Each pod prefers other addresses, and keeps to them while they are there: without it the first few of
 * an upstream's replicas would have the kept connections and the X-rays of a whole fleet.
 *
 * Source: D. Thaler, C. Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996.
 */
export function dialOrder(addresses: readonly string[], seed: string): readonly string[] {
  return addresses
    .map((address) => ({ address, share: shareOf(`${address}/${seed}`) }))
    .sort((a, b) => a.share - b.share)
    .map(({ address }) => address);
}
