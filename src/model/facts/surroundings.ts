/** What stands around the target in its pod. */
export interface Surroundings {
  /** A mesh proxy listens: verdicts about upstreams below grpc belong to it. */
  readonly mesh: boolean;
  readonly hostNetwork: boolean;
  readonly podAddress?: string;
  /** What the newest read of the socket table cost; the next comes no sooner than 2 000 times that. */
  readonly readCostMs: number;
  /** Every global address of the pod's interfaces. */
  readonly podAddresses: readonly string[];
  /**
   * The clock of another host less ours, by the `date` header of its HTTP answer (`RpcFacts.dateAt`
   * of an upstream); absent = none was heard. Never of this pod, which shares our clock.
   */
  readonly clockDifferenceMs?: number;
}
