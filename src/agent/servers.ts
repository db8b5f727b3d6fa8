import { readFile } from "node:fs/promises";
import { printSnapshot } from "../config/print-snapshot.ts";
import { type Order, startAdminServer } from "../http/admin-server.ts";
import { startListenServer } from "../http/listen-server.ts";
import type { Listening } from "../http/server.ts";
import { targetHealth } from "../http/target-health.ts";
import { crashText } from "../model/crash-text.ts";
import type { AgentEvent, ListenerName } from "../model/event.ts";
import { AGENT_TARGET } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import { negotiate } from "../sinks/prometheus/negotiate.ts";
import { SinkState } from "../sinks/sink-state.ts";
import type { Core } from "./core.ts";
import type { Identity } from "./identity.ts";
import type { Reload, ReloadOutcome } from "./reload.ts";
import type { Sinks } from "./sinks.ts";

export interface ServersOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly core: Core;
  readonly sinks: Sinks;
  readonly identity: Identity;
  /** `undefined`: there is no file to read again. */
  reload(): Reload | undefined;
  hear(event: AgentEvent): void;
  /** A port is ours now. */
  listens(port: number): void;
}

/** Both listeners, as far as they could be had. */
export interface Servers {
  /** Those that the first attempt could not have. */
  readonly notYet: readonly ListenerName[];
  close(): Promise<void>;
}

/** A port that somebody else holds is asked for again: the agent never ends for it. */
const TRY_AGAIN_MS = 5_000;

/** Starts both listeners; one whose port is taken is told, and tried again until it can be had. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const running: Listening[] = [];
  const missing = new Set<ListenerName>(["listen", "admin"]);
  const keep = (name: ListenerName, listening: Listening) => {
    missing.delete(name);
    running.push(listening);
    options.listens(listening.address.port);
  };
  await Promise.all([
    persist("listen", options, async () => keep("listen", await startListen(options))),
    persist("admin", options, async () => keep("admin", await startAdmin(options))),
  ]);
  return {
    notYet: [...missing],
    async close() {
      await Promise.all(running.map((listening) => listening.close()));
    },
  };
}

/** Resolves when the first attempt has ended; goes on trying until one succeeds or all stops. */
async function persist(
  name: ListenerName,
  { clock, signal, hear }: ServersOptions,
  start: () => Promise<void>,
): Promise<void> {
  try {
    await start();
  } catch (thrown) {
    const errorText = thrown instanceof Error ? thrown.message : String(thrown);
    hear({ kind: "sink-failed", at: clock.now(), sink: name, errorText });
    void tryAgain();
  }

  async function tryAgain(): Promise<void> {
    while (!signal.aborted) {
      const isStopped = await clock.sleep(TRY_AGAIN_MS, signal).then(no, yes);
      if (isStopped) return;
      const hasStarted = await start().then(yes, no);
      if (!hasStarted) continue;
      hear({ kind: "sink-recovered", at: clock.now(), sink: name });
      return;
    }
  }
}

const yes = () => true;
const no = () => false;

function startListen({ clock, core, sinks, hear }: ServersOptions): Promise<Listening> {
  return startListenServer({
    address: core.settings().listen,
    clock,
    formatOf: negotiate,
    metrics: (accept) => sinks.prometheus.render(accept),
    ready: () => core.latest().snapshot.takenAt > 0,
    targetHealth: (target, service) => {
      const { snapshot } = core.latest();
      const world = { snapshot, settings: core.settings(), now: clock.now() };
      return targetHealth(world, target, service);
    },
    defaultTarget: () => core.settings().targets.find(({ role }) => role === "app")?.name,
    failed: (thrown) => tellBug({ clock, hear, where: "listen" }, thrown),
  });
}

function startAdmin({ clock, core, identity, hear, reload }: ServersOptions): Promise<Listening> {
  const { version, pod } = identity;
  const state = new SinkState("admin", { now: () => clock.now(), event: hear });
  return startAdminServer({
    address: core.settings().admin,
    clock,
    token: () => readToken(core.settings().adminToken, state),
    identity: { agent: version, ...(pod === undefined ? {} : { pod }) },
    findings: () => core.latest().report,
    snapshot: () => {
      const { snapshot } = core.latest();
      return printSnapshot({ agent: version, settings: core.settings(), snapshot });
    },
    reload: async () => orderOf(await reload()?.reload()),
    drain: () => {
      core.drain("command");
      return { ok: true, text: DRAINING };
    },
    drill: (code, target) => core.drill({ code, target }),
    failed: (thrown) => tellBug({ clock, hear, where: "admin" }, thrown),
  });
}

/** What follows is decided by the store's `epochs.ts`. */
const DRAINING =
  "draining: the agent has let go of the app, and no finding opens for 60 s; it connects again once a new process listens, or the port still does after that";

/** The token; none where its file cannot be read, which is told, and then nobody may pass. */
async function readToken(file: string | undefined, state: SinkState): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    const token = (await readFile(file, "utf8")).trim();
    state.worked("token");
    return token;
  } catch (thrown) {
    state.failed("token", thrown);
    return undefined;
  }
}

function orderOf(outcome: ReloadOutcome | undefined): Order {
  if (outcome === undefined) return { ok: false, faults: ["the agent runs without a file"] };
  return "faults" in outcome
    ? { ok: false, faults: outcome.faults }
    : { ok: true, text: outcome.outcome };
}

function tellBug(
  { clock, hear, where }: Pick<ServersOptions, "clock" | "hear"> & { readonly where: string },
  thrown: unknown,
): void {
  const job = `http/${where}`;
  hear({ kind: "job-failed", at: clock.now(), job, target: AGENT_TARGET, ...crashText(thrown) });
}
