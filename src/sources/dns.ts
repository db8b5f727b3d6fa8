import { present } from "../model/present.ts";
import { defineSource } from "./source.ts";

/**
 * Asks the pod's own resolver for the name of the target, as the app would: hosts file, search list,
 * ndots. What the DNS does not decide (an address, a name of the hosts file) or what cannot be asked
 * is a capability, not an answer: nothing about the DNS is judged there.
 *
 * Source: resolv.conf(5).
 */
export const dns = defineSource({
  name: "dns",

  async *observe({ job, signal }, { clock, resolver }) {
    const { name, nameServer, target } = job;
    const question = { name, signal, ...(nameServer === undefined ? {} : { nameServer }) };
    const answer = await resolver.resolve(question);
    const base = { source: "dns", target, at: clock.now() } as const;
    const blind = (reason: string) =>
      ({ ...base, kind: "capability", available: false, reason }) as const;
    const { triedNames, durationMs } = answer;

    if (answer.outcome === "unavailable") {
      yield { ...blind(answer.reason), fix: "Give the pod a name server by its address." };
      return;
    }
    if (answer.outcome === "answered" && answer.via !== "dns") {
      yield blind(BESIDE_DNS[answer.via]);
      return;
    }
    yield { ...base, kind: "capability", available: true };
    const lookup = { ...base, kind: "lookup", name, triedNames, durationMs } as const;
    if (answer.outcome === "failed") {
      yield { ...lookup, outcome: "failed", cause: answer.cause, addresses: [] };
      return;
    }
    const { addresses, ttlMs, unanswered } = answer;
    yield { ...lookup, outcome: "answered", addresses, ...present({ ttlMs, unanswered }) };
  },
});

const BESIDE_DNS = {
  literal: "the target is an address: the DNS is not asked",
  hosts: "the name stands in the hosts file: the DNS is not asked",
} as const;
