import { xray } from "../grpc/xray.ts";
import { present } from "../model/present.ts";
import { defineSource } from "./source.ts";

/** The X-ray of a configured target: one fresh connection, every phase of it timed. */
export const preflight = defineSource({
  name: "preflight",

  async *observe({ job, target, signal }, { clock, resolver, ownCalls }) {
    const { alsoDial, everyAddress, lastSpoke } = job;
    const report = await xray(target, {
      clock,
      signal,
      resolver,
      // Its call is ours too: the server counts it like anybody's.
      ownCalls: ownCalls.forTarget(target.name),
      everyAddress,
      ...present({ alsoDial, lastSpoke }),
    });
    yield { source: "preflight", kind: "xray", target: target.name, at: clock.now(), report };
  },
});
