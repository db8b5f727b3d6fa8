import { defineSource } from "./source.ts";

/**
 * Reads the kernel's socket table once, and tells every target what it says of it.
 *
 * One read for all, as its price does not depend on who asks. A capability is told for each target,
 * since each is judged by itself. A read that did not end in time is told to nobody: half a table
 * would show connections as gone that are there.
 */
export const kernel = defineSource({
  name: "kernel",

  async *observe({ job, signal }, { clock, ownListeners, ownPorts, socketTable }) {
    const { interests } = job;
    const read = await socketTable.read({ interests, ownPorts: ownPorts(), ownListeners, signal });
    if (read.outcome === "aborted") return;
    for (const interest of interests) {
      const base = { source: "kernel", target: interest.target, at: clock.now() } as const;
      if (read.outcome === "unavailable") {
        const { reason, fix } = read;
        yield { ...base, kind: "capability", available: false, reason, fix };
      } else {
        yield { ...base, kind: "capability", available: true };
        yield { ...base, kind: "read", ...read.factsFor(interest) };
      }
    }
  },
});
