/** A flag of a command, as its help and the parser know it. */
export interface Flag {
  /** Without dashes. */
  readonly name: string;
  /** A second, short form. */
  readonly letter?: string;
  /** What its value is, in capitals; absent = a switch without value. */
  readonly value?: string;
  /** May be given more than once. */
  readonly isRepeated?: boolean;
  readonly says: string;
  /** As help shows it. */
  readonly default?: string;
}

/** What a command line held. Absent flags are absent keys. */
export interface Arguments {
  readonly positionals: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly switches: ReadonlySet<string>;
}
