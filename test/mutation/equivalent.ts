/** Mutants that no test can notice, by `id`, and why: the program does the same with them. */
export const EQUIVALENT: Readonly<Record<string, string>> = {};
