import { DETECTORS } from "../detectors/index.ts";
import type { AgentEvent } from "../model/event.ts";
import { upstreamName } from "../model/upstream-name.ts";
import { createLogSink } from "../sinks/log.ts";
import { createOtlpSink } from "../sinks/otlp/sink.ts";
import { createPrometheusSink, type PrometheusSink } from "../sinks/prometheus/sink.ts";
import type { Sink } from "../sinks/sink.ts";
import { createWebhookSink } from "../sinks/webhook.ts";
import type { Core } from "./core.ts";
import type { AgentOptions } from "./lifecycle.ts";

/** Those who tell. */
export interface Sinks {
  readonly all: readonly Sink[];
  readonly prometheus: PrometheusSink;
}

export interface SinksOptions extends AgentOptions {
  hear(event: AgentEvent): void;
  readonly core: Core;
}

/** The log and the metrics always; spans and the webhook where they are configured. */
export function createSinks(options: SinksOptions): Sinks {
  const { settings, output, colour, width, core, identity, clock } = options;
  const latest = () => core.latest();
  const prometheus = createPrometheusSink({
    snapshot: () => latest().snapshot,
    report: () => latest().report,
    settings: () => core.settings(),
    process: options.readProcess,
    clock,
    codes: DETECTORS,
    upstreamOf: (target) => upstreamName(target).name,
    build: { version: identity.version, node: identity.node },
  });
  const log = createLogSink({
    ...settings.log,
    stream: output,
    colour,
    width,
    event: options.hear,
    shown: clock.shown,
  });
  return { prometheus, all: [log, prometheus, ...createOptionalSinks(options)] };
}

/** Their heavy parts are loaded with the first thing that they have to tell. */
function createOptionalSinks(options: SinksOptions): readonly Sink[] {
  const { settings, clock, random, environment, identity, core, hear } = options;
  const otlp = () =>
    createOtlpSink({
      settings: () => core.settings(),
      report: () => core.latest().report,
      clock,
      random,
      event: hear,
      environment,
      version: identity.version,
    });
  const { version, pod } = identity;
  const webhook = createWebhookSink({
    url: () => core.settings().webhook?.url,
    identity: { agent: version, ...(pod === undefined ? {} : { pod }) },
    clock,
    event: hear,
  });
  return settings.tracing === undefined ? [webhook] : [webhook, otlp()];
}
