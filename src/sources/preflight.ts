import { xray } from "../grpc/xray.ts";
import { present } from "../model/present.ts";
import type { XrayReport } from "../model/xray.ts";
import { defineSource } from "./source.ts";

/**
 * The X-ray of a configured target: one fresh connection, every phase of it timed. One that failed for
 * what we lack (descriptors, a name server) tells nothing of the target: it is a capability.
 */
export const preflight = defineSource({
  name: "preflight",

  async *observe({ job, target, signal }, { clock, resolver, ownCalls, keep }) {
    const { alsoDial, everyAddress, lookAt, lastSpoke } = job;
    const report = await xray(target, {
      clock,
      signal,
      resolver,
      // Its call is ours too: the server counts it like anybody's.
      ownCalls: ownCalls.forTarget(target.name),
      everyAddress,
      keep,
      ...present({ alsoDial, lookAt, lastSpoke }),
    });
    const base = { source: "preflight", target: target.name, at: clock.now() } as const;
    if (report.reason !== "agent") return yield { ...base, kind: "xray", report };
    const reason = `the agent can make no connection${errnoText(report)}`;
    yield { ...base, kind: "capability", available: false, reason };
  },
});

function errnoText({ dials }: XrayReport): string {
  const errno = dials.find((dial) => dial.errno !== undefined)?.errno;
  return errno === undefined ? "" : ` (${errno})`;
}
