/** What stands around the target in its pod. */
export interface Surroundings {
  /** A mesh proxy listens: verdicts about upstreams below grpc belong to it. */
  readonly mesh: boolean;
  readonly hostNetwork: boolean;
  readonly podAddress?: string;
  /** Every global address of the pod's interfaces. */
  readonly podAddresses: readonly string[];
}
