import * as z from "zod";
import type { ListenAddress } from "../../model/settings.ts";
import type { Endpoint } from "../../model/target.ts";
import { type Parsed, parseAddress, parseListen } from "../address.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "../units.ts";

/**
 * Scalars of the configuration. Each message says what is *allowed*; what was found is added where
 * the fault is made. Pipes keep the written form as their input, which is what the JSON Schema shows.
 */

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A duration; the value is milliseconds. */
export function duration({ min, max }: Range) {
  const example = formatDuration(Math.min(Math.max(10_000, min), max));
  const allowed = `a duration from ${formatDuration(min)} to ${formatDuration(max)}, such as ${example}`;
  return z
    .string({ error: allowed })
    .transform((text, context) => {
      return within(parseDuration(text), { min, max }) ?? reject(context, { allowed });
    })
    .meta({ title: "duration", pattern: DURATION_PATTERN });
}

/** A size; the value is bytes. A bare number counts bytes. */
export function size({ min, max }: Range) {
  const allowed = `a size from ${formatSize(min)} to ${formatSize(max)}, such as ${formatSize(min)}`;
  return z
    .union([z.string(), z.int()], { error: allowed })
    .transform((text, context) => {
      return within(parseSize(String(text)), { min, max }) ?? reject(context, { allowed });
    })
    .meta({ title: "size" });
}

export function ratio({ min, max }: Range = { min: 0, max: 1 }) {
  const allowed = `a ratio from ${min} to ${max}`;
  return z.number({ error: allowed }).min(min, allowed).max(max, allowed).meta({ title: "ratio" });
}

export function count({ min, max }: Range) {
  const allowed = `a whole number from ${min} to ${max}`;
  return z.int({ error: allowed }).min(min, allowed).max(max, allowed);
}

/** One of a few words. */
export function word<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words);
}

/** A name that is a metric label: targets and probes. */
export function labelName() {
  const allowed = "1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first";
  return (
    z
      .string({ error: allowed })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, allowed)
      // Targets and probes are the keys of many a record.
      .refine(
        (name) => !(name in Object.prototype),
        "a name that JavaScript does not have: not constructor, not toString",
      )
      .meta({ title: "name" })
  );
}

export function path(what = "the path of a file") {
  return z.string({ error: what }).min(1, what).max(4096, what).meta({ title: "path" });
}

export function httpUrl() {
  const allowed = "a URL such as http://host:port/path";
  return z.string({ error: allowed }).refine(isHttpUrl, { error: allowed }).meta({ title: "URL" });
}

/** A `dns:`, `unix:` or `host:port` address, kept with what it points at. */
export function address() {
  return z
    .string({ error: "a text such as localhost:50051" })
    .transform((text, context): { address: string; endpoint: Endpoint } => {
      const parsed = parseAddress(text);
      if ("value" in parsed) return { address: text, endpoint: parsed.value };
      return reject(context, parsed);
    })
    .meta({ title: "address" });
}

export function listenAddress() {
  return z
    .string({ error: 'a text such as ":19464"' })
    .transform((text, context): ListenAddress => {
      const parsed = parseListen(text);
      return "value" in parsed ? parsed.value : reject(context, parsed);
    })
    .meta({ title: "listen address" });
}

const DURATION_PATTERN = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$";

function within(value: number | undefined, { min, max }: Range): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function reject(
  context: z.RefinementCtx<unknown>,
  { allowed }: Extract<Parsed<never>, { allowed: string }>,
): never {
  context.addIssue({ code: "custom", message: allowed });
  return z.NEVER;
}

function isHttpUrl(text: string): boolean {
  return (
    text.length <= 2048 && /^https?:\/\/[^\s/?#]+(?:[/?#]\S*)?$/i.test(text) && URL.canParse(text)
  );
}
