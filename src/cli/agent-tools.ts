import { LAZY_TOOLS } from "./lazy-tools.ts";
import type { Program } from "./program.ts";
import { lineWidth, wantsColour } from "./report/paint.ts";
import type { RunOptions, Tools } from "./tools.ts";

/** The parts of the agent, each loaded with the first command that asks for it. */
export const agentTools: Tools = {
  ...LAZY_TOOLS,

  async runAgent(program, options) {
    const { startAgent } = await import("../agent/lifecycle.ts");
    const { clock, random, environment, signal, onHangup, readProcess, cpuMs } = program;
    const agent = await startAgent({
      settings: options.settings,
      identity: await identity(program),
      clock,
      random,
      environment,
      output: program.stdout,
      colour: wantsColour(program, "stdout"),
      width: lineWidth(program),
      readProcess,
      cpuMs,
      onHangup,
      ...(options.heard === undefined ? {} : { heard: options.heard }),
      ...configuration(options),
    });
    program.favourMemory?.();
    await untilAborted(signal);
    await agent.stop(String(signal.reason));
  },

  async examine(program, { settings, forMs }) {
    const { examine } = await import("../agent/examine.ts");
    const { clock, random, signal } = program;
    return examine({ clock, random, identity: await identity(program), settings, forMs, signal });
  },
};

async function identity({ environment, version, node }: Program) {
  const { identityFrom } = await import("../agent/identity.ts");
  return identityFrom(environment, { version, node });
}

function configuration({ file, reload, rejected = [] }: RunOptions) {
  if (file === undefined || reload === undefined) return {};
  return { configuration: { file, load: reload, faults: rejected } };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
