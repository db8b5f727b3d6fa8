/** A JSON value: all that a snapshot, an observation or a finding may hold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };
