import type { Actor, Fault } from "./faults.ts";

/**
 * The one of the broken on whose account a fault can be neither made nor healed: its process is gone,
 * or blocked, and can be told nothing. A process can be killed in any state.
 */
export function obstacleTo({ act }: Fault, broken: Iterable<Fault>): Fault | undefined {
  if ("dns" in act || "kill" in act) return undefined;
  return [...broken].find((one) => one.act !== act && deafened(one) === actorOf(act));
}

/** Those of the broken that are over as soon as this fault is made: it takes their place, or their process. */
export function endedBy({ act }: Fault, broken: Iterable<Fault>): readonly Fault[] {
  return [...broken].filter(({ act: other }) => {
    if (other === act) return false;
    if ("dns" in act) return "dns" in other;
    if ("kill" in act) return actorOf(other) === act.kill;
    return (
      "on" in act && "on" in other && act.on === other.on && act.break.kind === other.break.kind
    );
  });
}

/** The order in which all can be healed: who can be told nothing comes first. */
export function inOrderOfHealing(broken: Iterable<Fault>): readonly Fault[] {
  const isLater = (fault: Fault) => Number(deafened(fault) === undefined);
  return [...broken].toSorted((one, other) => isLater(one) - isLater(other));
}

function actorOf(act: Fault["act"]): Actor | undefined {
  if ("on" in act) return act.on;
  if ("kill" in act) return act.kill;
  return "block" in act ? act.block : undefined;
}

/** The process that can be told nothing while this is broken. */
function deafened({ act }: Fault): Actor | undefined {
  return "on" in act ? undefined : actorOf(act);
}
