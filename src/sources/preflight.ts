import { xray } from "../grpc/xray.ts";
import { present } from "../model/present.ts";
import { defineSource } from "./source.ts";

/** The X-ray of a configured target: one fresh connection, every phase of it timed. */
export const preflight = defineSource({
  name: "preflight",

  async *observe({ job, target, signal }, { clock, resolver }) {
    const { alsoDial, everyAddress, lastSpoke } = job;
    const report = await xray(target, {
      clock,
      signal,
      resolver,
      everyAddress,
      ...present({ alsoDial, lastSpoke }),
    });
    yield { source: "preflight", kind: "xray", target: target.name, at: clock.now(), report };
  },
});
