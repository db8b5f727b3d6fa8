import { assertions, methods } from "./calls.ts";
import {
  adminToken,
  certificatePairs,
  oneSchedule,
  probeTimes,
  separatePorts,
} from "./contradictions.ts";
import { files, tlsMaterial } from "./files.ts";
import { boundLimits } from "./limits.ts";
import { references, uniqueNames } from "./names.ts";
import type { Rule } from "./rule.ts";

/** Every rule that the schema of a single value cannot state. */
export const RULES: readonly Rule[] = [
  uniqueNames,
  references,
  oneSchedule,
  probeTimes,
  certificatePairs,
  adminToken,
  separatePorts,
  boundLimits,
  files,
  tlsMaterial,
  assertions,
  methods,
];
