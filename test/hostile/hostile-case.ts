/** A value of the agent's configuration. */
type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
type Fields = Readonly<Record<string, Value>>;

/** What the agent's configuration says of one hostile server; names are added to it. */
export interface Watched {
  /** `address`, and whatever else the case is about. */
  readonly target: Fields & { readonly address: string };
  /** Everything but name and target. */
  readonly probe?: Fields & { readonly method: string };
}

/** One way to be hostile: starts its servers, which live as long as their process. */
export type HostileCase = () => Promise<Watched>;

/** By the name of the target, which is what the agent calls it. */
export type Gallery = Readonly<Record<string, HostileCase>>;

/** A case of one server whose address is all that there is to say. */
export function at(start: () => Promise<{ readonly address: string }>): HostileCase {
  return async () => ({ target: { address: (await start()).address } });
}
