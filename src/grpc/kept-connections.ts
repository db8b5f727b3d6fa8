import type { Target } from "../model/target.ts";
import { KeptConnection, type KeptConnectionOptions } from "./kept-connection.ts";
import type { Connection } from "./transport.ts";

/** The kept connections: one per target, shared by health, channelz and reflection. */
export interface KeptConnections {
  /**
   * The open connection of a target; opens one where there is none. Rejects with a `CallError`: at once
   * while the target drains, or while a failed attempt is not yet due again; when opening fails; and
   * when the signal is aborted, which leaves the opening to others who wait.
   *
   * A target that was configured anew is another one: its old connection is closed.
   */
  get(target: Target, signal: AbortSignal): Promise<Connection>;
  /** Cancels the target's calls, closes, and opens nothing until `release`. */
  drain(target: string): void;
  /** A new epoch: the target may be connected to again, at once. */
  release(target: string): void;
  /** A fresh connection got SETTINGS: where one could not be opened before, it is tried again. */
  heard(target: string): void;
  /** Closes a connection that is dead; the next `get` opens another. */
  renew(target: string): void;
  /** Closes and forgets a target that is watched no more. */
  forget(target: string): Promise<void>;
  /** Closes all; nothing is opened afterwards. Takes a second at most. */
  close(): Promise<void>;
}

export function createKeptConnections(options: KeptConnectionOptions): KeptConnections {
  const kept = new Map<string, KeptConnection>();
  const ending = new Set<Promise<void>>();
  let isClosed = false;

  const end = (connection: KeptConnection): Promise<void> => {
    const ended = connection.close();
    ending.add(ended);
    return ended.finally(() => ending.delete(ended));
  };
  const keptFor = (target: Target): KeptConnection => {
    const known = kept.get(target.name);
    if (known?.serves(target) === true) return known;
    if (known !== undefined) void end(known);
    const fresh = new KeptConnection(target, options);
    kept.set(target.name, fresh);
    if (isClosed) fresh.drain();
    return fresh;
  };

  return {
    get: (target, signal) => keptFor(target).get(signal),
    drain: (name) => kept.get(name)?.drain(),
    renew: (name) => kept.get(name)?.renew(),
    heard: (name) => kept.get(name)?.heard(),
    release: (name) => kept.get(name)?.release(),
    forget: async (name) => {
      const known = kept.get(name);
      kept.delete(name);
      options.ownCalls.forget(name);
      if (known !== undefined) await end(known);
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...ending, ...[...kept.values()].map(end)]);
    },
  };
}
